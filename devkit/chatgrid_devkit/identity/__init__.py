"""A local identity provider that plays Supabase's part."""
