"""ChatGrid Auth: what every function of the gate, and every backend behind it, shares.

``domain`` holds values and rules, ``services`` what the system does in terms of ports,
``adapters`` the only code that knows DynamoDB, JWKS and API Gateway, ``guard`` what a
protected backend puts in front of its handler. Dependencies point inwards only.
"""
