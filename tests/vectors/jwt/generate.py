"""Writes hostile.json and valid.json: ``python -m tests.vectors.jwt.generate``.

Families are spelt out here, so that a new variant is one line; the files are what is reviewed and
what the tests read, and a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Recipe = dict[str, Any]

HERE = Path(__file__).parent
ASYMMETRIC = ("ES256", "RS256")
JWKS_PATH = "/.well-known/jwks.json"


def _no_algorithm() -> Iterator[Recipe]:
    source = "RFC 8725 2.1, 3.1; CVE-2015-9235, CVE-2022-23540, CVE-2018-1000531"
    for alg in ("none", "None", "NONE", "nOnE", "nonE", "none ", "", " ", "null"):
        yield {
            "name": f"alg {alg!r} without a signature",
            "source": source,
            "header": {"alg": alg},
            "sign": {"by": "nobody"},
        }
    yield {"name": "alg none, own signature kept", "source": source, "header": {"alg": "none"}}
    yield {
        "name": "alg none, signed with an empty HMAC key",
        "source": source,
        "header": {"alg": "none"},
        "sign": {"by": "hmac", "key": "text:"},
    }
    yield {
        "name": "alg none, last dot left out",
        "source": source,
        "header": {"alg": "none"},
        "sign": {"by": "nobody"},
        "compact": [["without part", 2]],
    }
    for label, value in (
        ("null", None),
        ("false", False),
        ("a number", 0),
        ("a list", ["ES256"]),
        ("an object", {"ES256": 1}),
        ("a list with none", ["none"]),
    ):
        yield {"name": f"alg is {label}", "source": "RFC 7515 4.1.1", "header": {"alg": value}}
    yield {"name": "no alg", "source": "RFC 7515 4.1.1", "header_drop": ["alg"]}


def _other_algorithm() -> Iterator[Recipe]:
    source = "RFC 8725 3.1, 3.2; CVE-2026-48523 (allow-list checked against the header only)"
    for alg in ("es256", "ES256 ", "ES384", "ES512", "ES256K", "RS512", "PS256", "HS256", "EdDSA"):
        yield {
            "name": f"header says {alg!r} over an ES256 signature",
            "source": source,
            "header": {"alg": alg},
        }
    for alg in ("ES256", "RS384", "PS256", "HS512", "RSA-OAEP", "dir", "RS1"):
        yield {
            "name": f"header says {alg!r} over an RS256 signature",
            "source": source,
            "alg": "RS256",
            "header": {"alg": alg},
        }
    yield {
        "name": "PSS signature under RS256",
        "source": source,
        "alg": "RS256",
        "sign": {"by": "own", "pss": True},
    }
    yield {
        "name": "PS256 signed with the RS256 key",
        "source": source,
        "alg": "RS256",
        "header": {"alg": "PS256"},
        "sign": {"by": "own", "pss": True},
    }
    for digest, alg in (("sha384", "HS384"), ("sha512", "HS512")):
        yield {
            "name": f"{alg} with the true secret",
            "source": source,
            "alg": "HS256",
            "header": {"alg": alg},
            "sign": {"by": "hmac", "key": "secret", "hash": digest},
        }
    yield {
        "name": "ES256 key named, RS256 signature",
        "source": "CWE-347, key of another kind",
        "header": {"kid": "$kid:ES256"},
        "sign": {"by": "own", "alg": "RS256"},
    }
    yield {
        "name": "RS256 header, key id of the ES256 key",
        "source": "CVE-2021-46743 (a key id with the algorithm of another key)",
        "alg": "RS256",
        "header": {"kid": "$kid:ES256"},
    }


def _public_key_as_secret() -> Iterator[Recipe]:
    source = (
        "RFC 8725 2.1; CVE-2016-10555, CVE-2017-11424, CVE-2022-29217, CVE-2024-33663, "
        "CVE-2026-48526, CVE-2026-48525"
    )
    forms = {
        "RS256": ("pem", "pem-stripped", "pem-crlf", "pem1", "der", "ssh", "jwk", "member"),
        "ES256": ("pem", "pem-stripped", "der", "ssh", "jwk", "point", "member"),
    }
    for alg, names in forms.items():
        for form in names:
            yield {
                "name": f"HS256 with the {alg} public key as {form}",
                "source": source,
                "header": {"alg": "HS256", "kid": f"$kid:{alg}"},
                "sign": {"by": "hmac", "key": f"{form}:{alg}"},
            }
    for key in ("text:", "text:secret", "text:authenticated", "text:null", "jwks", "text:0"):
        yield {
            "name": f"HS256 with {key.removeprefix('text:')!r} as the secret",
            "source": "RFC 8725 2.2, 3.5 (weak or empty secrets)",
            "alg": "HS256",
            "sign": {"by": "hmac", "key": key},
        }
    yield {
        "name": "ES256 header over an HMAC of the public key",
        "source": source,
        "sign": {"by": "hmac", "key": "pem:ES256"},
    }
    yield {
        "name": "RS256 header over an HMAC with the true secret",
        "source": source,
        "alg": "RS256",
        "sign": {"by": "hmac", "key": "secret"},
    }


def _key_id() -> Iterator[Recipe]:
    source = "RFC 8725 3.10 (injection through kid)"
    for label, kid in (
        ("a path to /dev/null", "../../../../../../dev/null"),
        ("an absolute path", "/etc/passwd"),
        ("SQL", "x' UNION SELECT 'secret' -- "),
        ("SQL that is true", "' OR '1'='1"),
        ("a shell command", "key; sleep 10"),
        ("a pipe", "|/bin/id"),
        ("a URL", "$trap/jwks.json"),
        ("a file URL", "file:///proc/self/environ"),
        ("LDAP", "*)(uid=*"),
        ("a NUL", "key\0"),
        ("a newline", "key\nX-Header: 1"),
        ("empty", ""),
        ("a space", " "),
        ("very long", "k" * 3000),
        ("not ASCII", "schlüssel"),
        ("a template", "{{7*7}}"),
        ("of Python", "__class__"),
        ("of another token's key", "0a0b0c0d-0000-4000-8000-00000000feed"),
    ):
        yield {"name": f"kid is {label}", "source": source, "header": {"kid": kid}}
    yield {
        "name": "kid to an empty file, HMAC with an empty key",
        "source": source,
        "header": {"alg": "HS256", "kid": "../../dev/null"},
        "sign": {"by": "hmac", "key": "text:"},
    }
    yield {
        "name": "kid of another case",
        "source": source,
        "header": {"kid": "ES256-ABC"},
    }
    for label, value in (
        ("null", None),
        ("a number", 1),
        ("a list", ["$kid:ES256"]),
        ("an object", {"kid": "$kid:ES256"}),
        ("true", True),
    ):
        yield {"name": f"kid is {label}", "source": "RFC 7515 4.1.4", "header": {"kid": value}}
    yield {"name": "no kid", "source": "RFC 7515 4.1.4", "header_drop": ["kid"]}
    yield {
        "name": "key id with a space after it",
        "source": source,
        "header": {"kid": "$kid:ES256 "},
    }


def _embedded_keys() -> Iterator[Recipe]:
    source = "RFC 8725 3.10; RFC 7515 4.1.2-4.1.8; CVE-2018-0114"
    stranger = {"by": "stranger", "kind": "P-256"}
    for signer, sign in (("a stranger", stranger), ("the issuer", {"by": "own"})):
        for name, value in (
            ("jwk", "$stranger-jwk"),
            ("x5c", "$stranger-cert"),
            ("jku", "$trap/jwks.json"),
            ("x5u", "$trap/cert.pem"),
            ("jku", f"$issuer{JWKS_PATH}"),
        ):
            label = "the true address" if str(value).startswith("$issuer") else "its own key"
            yield {
                "name": f"{name} with {label}, signed by {signer}",
                "source": source,
                "header": {name: value},
                "sign": sign,
            }
    for address in (
        "$trap",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        f"$issuer{JWKS_PATH}@attacker.example/",
        f"$issuer/../redirect?to=attacker.example{JWKS_PATH}",
    ):
        yield {
            "name": f"jku is {address}",
            "source": source + "; CVE-2026-48522 (other schemes)",
            "header": {"jku": address, "kid": "mine"},
            "sign": stranger,
        }
    for name in ("x5t", "x5t#S256"):
        yield {
            "name": f"{name} names a certificate",
            "source": source,
            "header": {name: "dGh1bWJwcmludA"},
            "sign": stranger,
        }
    yield {
        "name": "jwk holds the issuer's own public key",
        "source": source,
        "header": {"jwk": "$jwk:ES256"},
    }
    yield {
        "name": "jwk is symmetric, and signs with it",
        "source": source,
        "header": {"alg": "HS256", "jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        "sign": {"by": "hmac", "key": "text:secret"},
    }


def _extensions() -> Iterator[Recipe]:
    source = "RFC 7515 4.1.11; CVE-2026-32597, CVE-2025-59420 (crit not enforced)"
    for label, header in (
        ("crit with an unknown extension", {"crit": ["bork"], "bork": "x"}),
        ("crit with cnf", {"crit": ["cnf"], "cnf": {"jkt": "thumb"}}),
        ("crit is empty", {"crit": []}),
        ("crit is null", {"crit": None}),
        ("crit is a text", {"crit": "exp"}),
        ("crit names what is not there", {"crit": ["exp"]}),
        ("crit names alg", {"crit": ["alg"]}),
        ("b64 false without crit", {"b64": False}),
        ("b64 false with crit", {"b64": False, "crit": ["b64"]}),
        ("b64 true with crit", {"b64": True, "crit": ["b64"]}),
        ("b64 true", {"b64": True}),
        ("zip", {"zip": "DEF"}),
        ("cty JWT: a token in a token", {"cty": "JWT"}),
        ("cty XML", {"cty": "text/xml"}),
        ("enc: half an encrypted token", {"enc": "A128GCM"}),
    ):
        yield {"name": label, "source": source, "header": header}
    yield {
        "name": "b64 false with a detached payload",
        "source": "RFC 7797; GHSA-w7vc-732c-9m39",
        "header": {"b64": False, "crit": ["b64"]},
        "compact": [["part", 1, ""]],
    }
    for typ in ("dpop+jwt", "logout+jwt", "secevent+jwt", "JWE", "", None, 1, ["JWT"]):
        yield {
            "name": f"typ is {typ!r}",
            "source": "RFC 8725 3.11, 3.12 (tokens of another kind)",
            "header": {"typ": typ},
        }


def _signatures() -> Iterator[Recipe]:
    psychic = "CVE-2022-21449 (signatures of zeros), RFC 8725 2.4"
    for label, alg, size in (
        ("ES256, 64 zeros", "ES256", 64),
        ("ES256, one zero", "ES256", 1),
        ("ES256, 96 zeros", "ES256", 96),
        ("RS256, 256 zeros", "RS256", 256),
        ("HS256, 32 zeros", "HS256", 32),
    ):
        yield {
            "name": f"signature of zeros: {label}",
            "source": psychic,
            "alg": alg,
            "sign": {"by": "bytes", "hex": "00" * size},
        }
    yield {
        "name": "DER signature of zeros",
        "source": psychic,
        "sign": {"by": "bytes", "hex": "3006020100020100"},
    }
    for change in (
        "r zero",
        "s zero",
        "r order",
        "s order",
        "r plus order",
        "r one s one",
        "ones",
        "DER",
        "halves swapped",
        "doubled",
        "a zero in front",
        "one byte more",
        "truncated by one",
        "truncated to half",
        "first bit flipped",
        "last bit flipped",
    ):
        yield {"name": f"ES256 signature: {change}", "source": psychic, "signature": change}
    for alg in ("RS256", "HS256"):
        for change in (
            "truncated by one",
            "truncated to half",
            "one byte more",
            "last bit flipped",
        ):
            yield {
                "name": f"{alg} signature: {change}",
                "source": "RFC 8725 3.3",
                "alg": alg,
                "signature": change,
            }
    yield {
        "name": "RS256 signature of a raw 1",
        "source": "CVE-2006-4339 and its kin",
        "alg": "RS256",
        "sign": {"by": "bytes", "hex": "00" * 255 + "01"},
    }
    for alg in ("ES256", "RS256", "HS256"):
        yield {
            "name": f"{alg} without a signature",
            "source": "CVE-2020-28042, CVE-2016-5431 (signature stripping)",
            "alg": alg,
            "sign": {"by": "nobody"},
        }
    for kind, alg in (
        ("P-256", "ES256"),
        ("P-384", "ES256"),
        ("secp256k1", "ES256"),
        ("RSA", "ES256"),
        ("Ed25519", "ES256"),
        ("RSA", "RS256"),
        ("P-256", "RS256"),
    ):
        yield {
            "name": f"{alg} signed by a stranger's {kind} key",
            "source": "RFC 8725 3.3, 3.4 (wrong key, wrong curve)",
            "alg": alg,
            "sign": {"by": "stranger", "kind": kind},
        }


def _payload_swapped() -> Iterator[Recipe]:
    source = "RFC 8725 3.3 (another payload under a good signature)"
    for alg in ("ES256", "RS256", "HS256"):
        yield {
            "name": f"{alg}: the subject rewritten",
            "source": source,
            "alg": alg,
            "compact": [["rewrite", "7b1c6a52", "7b1c6a53"]],
        }
    yield {
        "name": "claims rewritten to be anonymous",
        "source": source,
        "compact": [["rewrite", '"is_anonymous":false', '"is_anonymous":false,"x":1']],
    }


def _compact_form() -> Iterator[Recipe]:
    source = "RFC 7515 2, 3.1, 7.1; RFC 8725 3.7"
    steps: dict[str, list[Any]] = {
        "a space before": ["before", " "],
        "a space after": ["after", " "],
        "a newline after": ["after", "\n"],
        "a tab after": ["after", "\t"],
        "a NUL after": ["after", "\0"],
        "a byte order mark before": ["before", "\ufeff"],
        "a zero-width space after": ["after", "\u200b"],
        "Bearer before": ["before", "Bearer "],
        "a comma and a second token": ["twice", ","],
        "twice with a space between": ["twice", " "],
        "twice without anything between": ["twice", ""],
        "twice with a dot between": ["twice", "."],
        "a dot after": ["after", "."],
        "a dot before": ["before", "."],
        "a fourth part": ["after", ".e30"],
        "five parts, as if encrypted": ["after", ".AAAA.AAAA"],
        "two dots for each": ["replace", ".", ".."],
        "dots percent-encoded": ["replace", ".", "%2E"],
        "full-width dots": ["replace", ".", "\uff0e"],
        "slashes for dots": ["replace", ".", "/"],
        "without header": ["without part", 0],
        "without payload": ["without part", 1],
        "reversed": ["reversed"],
        "header empty": ["part", 0, ""],
        "payload empty": ["part", 1, ""],
        "padded": ["padded"],
        "header with one padding sign": ["part after", 0, "="],
        "signature with one padding sign": ["part after", 2, "="],
        "stray bits in the signature": ["stray bits", 2],
        "stray bits in the payload": ["stray bits", 1],
        "a space inside the payload": ["part inside", 1, " "],
        "a newline inside the signature": ["part inside", 2, "\n"],
        "an exclamation mark inside the signature": ["part inside", 2, "!!!!"],
        "a plus inside the signature": ["part inside", 2, "+"],
        "a slash inside the signature": ["part inside", 2, "/"],
        "a surrogate inside the signature": ["part inside", 2, "\ud800"],
        "a Cyrillic letter inside the payload": ["part inside", 1, "\u0430"],
        "payload cut by one": ["part cut", 1, 1],
        "header cut by one": ["part cut", 0, 1],
        "in capitals": ["upper"],
        "JSON serialisation, general": ["general JSON"],
        "JSON serialisation, flattened": ["flattened JSON"],
        "quoted": ["nothing but", '"e30.e30.e30"'],
        "nothing but dots": ["nothing but", ".."],
        "five empty parts": ["nothing but", "...."],
        "empty objects": ["nothing but", "e30.e30.AAAA"],
        "8 KB of As": ["nothing but", "A" * 8193],
        "20 KB of dots": ["nothing but", "." * 20_000],
        "signature of 20 KB": ["repeat", "A", 20_000],
        "a megabyte": ["repeat", "eyJ", 350_000],
        "the word undefined": ["nothing but", "undefined"],
    }
    for label, step in steps.items():
        yield {"name": label, "source": source, "compact": [step]}
    yield {
        "name": "payload that fills 9 KB",
        "source": "CVE-2025-27144, GHSA-frfh-8v73-gjg4 (size before parsing)",
        "claims": {"filling": "x" * 7000},
    }


def _json_texts() -> Iterator[Recipe]:
    source = "RFC 7515 4, RFC 7519 4, RFC 8259 4 (duplicate names); RFC 8725 3.7 (UTF-8)"
    for label, tail in (
        ("alg twice, none last", '"alg":"none"'),
        ("alg twice, the same", '"alg":"ES256"'),
        ("kid twice", '"kid":"other"'),
        ("alg by escape", '"\\u0061lg":"none"'),
    ):
        yield {"name": f"header: {label}", "source": source, "header_tail": tail}
    for label, tail in (
        ("sub twice", '"sub":"7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b11"'),
        ("role twice", '"role":"authenticated"'),
        ("exp twice", '"exp":$now+9999'),
        ("iss twice", '"iss":"$issuer"'),
        ("a duplicate deep inside", '"x":{"a":1,"a":2}'),
        ("NaN", '"x":NaN'),
        ("Infinity", '"x":-Infinity'),
        ("a number of 5,000 digits", '"x":' + "9" * 5000),
        ("nesting of 3,000 lists", '"x":' + "[" * 3000),
        ("nesting of 1,000 objects", '"x":' + '{"a":' * 1000),
        ("a trailing comma", ""),
        ("a comment", "/* */"),
    ):
        recipe = {"name": f"claims: {label}", "source": source, "claims_tail": tail or " "}
        yield recipe
    for part in ("header", "claims"):
        for text in ("null", "[]", '""', "1", "true", "{", "{}x", "", "\ufeff{}", "{'a':1}"):
            yield {"name": f"{part}: {text!r}", "source": source, f"{part}_text": text}
        yield {"name": f"{part}: not UTF-8", "source": source, f"{part}_hex": "7b22ff223a317d"}
        for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
            yield {
                "name": f"{part} in {encoding}",
                "source": source,
                f"{part}_encoding": encoding,
            }


def _times() -> Iterator[Recipe]:
    source = "RFC 7519 4.1.4-4.1.6; CVE-2022-39227 and its kin"
    for label, value in (
        ("an hour ago", "$now-3600"),
        ("now, less the leeway", "$now-5"),
        ("a day ago", "$now-86400"),
        ("zero", 0),
        ("one", 1),
        ("negative", -1),
        ("true", True),
        ("null", None),
        ("a text", "4102444800"),
        ("a date", "2099-01-01T00:00:00Z"),
        ("a fraction", 4102444800.5),
        ("a whole float", 4102444800.0),
        ("a list", [4102444800]),
        ("an object", {"$gt": 0}),
        ("in milliseconds, far off", 4102444800000),
        ("beyond 64 bits", 2**70),
        ("the largest of 64 bits", 2**63 - 1),
        ("empty", ""),
    ):
        yield {"name": f"exp is {label}", "source": source, "claims": {"exp": value}}
    yield {"name": "no exp", "source": source, "claims_drop": ["exp"]}
    for text in ("1e999", "4.1e9", "-0", "1E400"):
        yield {
            "name": f"exp is {text}",
            "source": source,
            "claims_drop": ["exp"],
            "claims_tail": f'"exp":{text}',
        }
    yield {
        "name": "Exp with a capital only",
        "source": source,
        "claims_drop": ["exp"],
        "claims": {"Exp": "$now+3600"},
    }
    for claim in ("nbf", "iat"):
        for label, value in (
            ("in an hour", "$now+3600"),
            ("in a minute", "$now+60"),
            ("a text", "0"),
            ("null", None),
            ("true", True),
            ("negative", -5),
            ("a float", 1.5),
            ("a list", []),
            ("beyond 64 bits", 2**70),
        ):
            yield {"name": f"{claim} is {label}", "source": source, "claims": {claim: value}}


def _issuers() -> Iterator[Recipe]:
    source = "RFC 8725 3.8; CVE-2024-53861 (part of an issuer), CVE-2025-30144 (list of issuers)"
    for label, value in (
        ("with a slash after it", "$issuer/"),
        ("with a space after it", "$issuer "),
        ("with a query", "$issuer?x=1"),
        ("with a fragment", "$issuer#"),
        ("with a user before the host", "https://user@abcdefghijklmnop.supabase.co/auth/v1"),
        ("a part of it", "auth/v1"),
        ("one letter", "h"),
        ("empty", ""),
        ("supabase, as in the API keys", "supabase"),
        ("another project's", "https://qrstuvwxyzabcdefghij.supabase.co/auth/v1"),
        ("a look-alike", "https://abcdefghijklmnop.supabase.co.attacker.example/auth/v1"),
        ("in a list", ["$issuer"]),
        ("in a list with the attacker's", ["https://attacker.example", "$issuer"]),
        ("an object", {"$issuer": True}),
        ("null", None),
        ("a number", 0),
        ("twice", "$issuer,$issuer"),
    ):
        yield {"name": f"iss is {label}", "source": source, "claims": {"iss": value}}
    yield {"name": "no iss", "source": source, "claims_drop": ["iss"]}


def _audiences() -> Iterator[Recipe]:
    source = "RFC 8725 3.9; RFC 7519 4.1.3"
    for label, value in (
        ("anon", "anon"),
        ("empty", ""),
        ("an empty list", []),
        ("with a capital", "Authenticated"),
        ("a part of it", "auth"),
        ("more than it", "authenticated-admin"),
        ("with a space", "authenticated "),
        ("another's in a list", ["anon", "service"]),
        ("in a list with a number", ["authenticated", 1]),
        ("in a list in a list", [["authenticated"]]),
        ("an object", {"authenticated": True}),
        ("null", None),
        ("true", True),
        ("two in one text", "anon,authenticated"),
    ):
        yield {"name": f"aud is {label}", "source": source, "claims": {"aud": value}}
    yield {"name": "no aud", "source": source, "claims_drop": ["aud"]}


def _subjects() -> Iterator[Recipe]:
    source = "CONTRACT: the caller is a Supabase user; CVE-2024-53861's sibling checks of sub"
    for label, value in (
        ("empty", ""),
        ("a name", "kim"),
        ("in capitals", "7B1C6A52-3F0E-4D7A-9A44-5E2F0C1D9B10"),
        ("without hyphens", "7b1c6a523f0e4d7a9a445e2f0c1d9b10"),
        ("in braces", "{7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10}"),
        ("as a URN", "urn:uuid:7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10"),
        ("with a newline", "7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10\n"),
        ("with a key prefix", "KEY#7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10"),
        ("with a hash after it", "7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10#"),
        ("in other digits", "\u0667b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10"),
        ("in a list", ["7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10"]),
        ("an object", {"id": "7b1c6a52-3f0e-4d7a-9a44-5e2f0c1d9b10"}),
        ("a number", 7),
        ("null", None),
        ("true", True),
        ("a wildcard", "*"),
    ):
        yield {"name": f"sub is {label}", "source": source, "claims": {"sub": value}}
    yield {"name": "no sub", "source": source, "claims_drop": ["sub"]}
    yield {
        "name": "sub in user_metadata only",
        "source": "Supabase: user_metadata is written by the user",
        "claims_drop": ["sub"],
        "claims": {"user_metadata": {"sub": "$user"}},
    }


def _roles() -> Iterator[Recipe]:
    source = "Supabase JWT fields: role"
    for label, value in (
        ("anon", "anon"),
        ("service_role", "service_role"),
        ("supabase_admin", "supabase_admin"),
        ("postgres", "postgres"),
        ("with a capital", "Authenticated"),
        ("with a space", " authenticated"),
        ("empty", ""),
        ("in a list", ["authenticated"]),
        ("null", None),
        ("true", True),
    ):
        yield {"name": f"role is {label}", "source": source, "claims": {"role": value}}
    yield {"name": "no role", "source": source, "claims_drop": ["role"]}
    yield {
        "name": "role in app_metadata and user_metadata only",
        "source": source,
        "claims_drop": ["role"],
        "claims": {
            "app_metadata": {"role": "authenticated"},
            "user_metadata": {"role": "authenticated"},
        },
    }


def _api_keys_of_supabase() -> Iterator[Recipe]:
    source = "Supabase API keys: long-lived JWTs without a user"
    for role in ("anon", "service_role"):
        for alg in ("HS256", "ES256"):
            yield {
                "name": f"the project's {role} key, {alg}",
                "source": source,
                "alg": alg,
                "claims_drop": ["sub", "aud", "email", "is_anonymous", "session_id"],
                "claims": {
                    "iss": "supabase",
                    "ref": "abcdefghijklmnop",
                    "role": role,
                    "exp": "$now+315360000",
                },
            }
    yield {
        "name": "the service_role key with this issuer and audience",
        "source": source,
        "alg": "HS256",
        "claims_drop": ["sub"],
        "claims": {"role": "service_role"},
    }


def _anonymous_users() -> Iterator[Recipe]:
    source = "Supabase anonymous sign-ins: role is authenticated there too"
    for alg in ("ES256", "RS256", "HS256"):
        yield {
            "name": f"an anonymous user, {alg}",
            "source": source,
            "alg": alg,
            "claims": {"is_anonymous": True, "email": ""},
        }
    for label, value in (
        ("a text", "false"),
        ("zero", 0),
        ("null", None),
        ("a list", []),
        ("empty", ""),
    ):
        yield {
            "name": f"is_anonymous is {label}",
            "source": source,
            "claims": {"is_anonymous": value},
        }
    yield {
        "name": "anonymous, denied in user_metadata",
        "source": source,
        "claims": {"is_anonymous": True, "user_metadata": {"is_anonymous": False}},
    }


def hostile() -> list[Recipe]:
    """Every recipe whose token must be refused."""
    families = (
        _no_algorithm,
        _other_algorithm,
        _public_key_as_secret,
        _key_id,
        _embedded_keys,
        _extensions,
        _signatures,
        _payload_swapped,
        _compact_form,
        _json_texts,
        _times,
        _issuers,
        _audiences,
        _subjects,
        _roles,
        _api_keys_of_supabase,
        _anonymous_users,
    )
    return [
        {"family": family.__name__.strip("_").replace("_", " "), **recipe}
        for family in families
        for recipe in family()
    ]


def valid() -> list[Recipe]:
    """Tokens that must be let in, next to the hostile ones that look like them."""
    return [
        *({"name": f"as issued, {alg}", "alg": alg} for alg in ("ES256", "RS256", "HS256")),
        {"name": "as issued, EdDSA", "alg": "EdDSA"},
        {"name": "HS256 with a key id", "alg": "HS256", "header": {"kid": "legacy"}},
        {"name": "no typ", "header_drop": ["typ"]},
        {"name": "typ in small letters", "header": {"typ": "jwt"}},
        {"name": "an unknown header parameter", "header": {"x-note": "may be ignored"}},
        {"name": "audience in a list", "claims": {"aud": ["authenticated"]}},
        {"name": "audience among others", "claims": {"aud": ["other", "authenticated"]}},
        {"name": "issued by a clock that is ahead", "claims": {"iat": "$now+5"}},
        {"name": "nbf now", "claims": {"nbf": "$now"}},
        {"name": "no iat", "claims_drop": ["iat"]},
        {"name": "no email", "claims_drop": ["email"]},
        {"name": "no is_anonymous, as older servers", "claims_drop": ["is_anonymous"]},
        {"name": "second factor", "claims": {"aal": "aal2"}},
        {"name": "claims of a hook", "claims": {"plan": "pro", "roles": ["editor"], "n": 1.5}},
        {
            "name": "user_metadata that lies",
            "claims": {"user_metadata": {"sub": "x", "role": "service_role", "iss": "y"}},
        },
    ]


def main() -> None:
    for name, recipes in (("hostile", hostile()), ("valid", valid())):
        (HERE / f"{name}.json").write_text(render(recipes), "utf-8")


def render(recipes: list[Recipe]) -> str:
    """One recipe a line: a change shows as that line."""
    lines = (json.dumps(recipe, ensure_ascii=True) for recipe in recipes)
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    main()
