"""The local API Gateway, as ../../docs/architecture.md describes AWS's."""
