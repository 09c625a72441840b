"""What of the end-to-end suite cannot hold where its backend stands behind an HTTP API, and why."""

from __future__ import annotations

_ROUTE = "an HTTP API answers a path or a method without a route itself, in words of its own"
_HEAD = "an HTTP API's GET route takes no HEAD, and the example declares none"
_KEPT = "the example keeps nothing: there is no board to be made, changed, found or deleted"
_READ = "the example reads neither body nor query"
_NOBODYS = "019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70"

#: By test, parameters included; a test's name alone stands for all of its parameters.
EXCEPTIONS = {
    f"test_a_read_key_is_told_the_scope_that_it_lacks[PATCH-/boards/{_NOBODYS}-write]": _ROUTE,
    f"test_a_read_key_is_told_the_scope_that_it_lacks[DELETE-/boards/{_NOBODYS}-write]": _ROUTE,
    "test_an_unknown_path_is_a_404[/boards/a/b]": _ROUTE,
    "test_a_wrong_method_is_a_405_that_names_the_right_ones[PUT-/boards-allowed0]": _ROUTE,
    "test_a_wrong_method_is_a_405_that_names_the_right_ones"
    f"[POST-/boards/{_NOBODYS}-allowed3]": _ROUTE,
    "test_head_is_get_without_a_body": _HEAD,
    "test_two_users_never_see_each_others_keys_or_boards": _KEPT,
    "test_a_board_lives": _KEPT,
    "test_200_mixed_requests_from_16_connections_are_all_answered_right": _KEPT,
    "test_a_body_that_cannot_be_is_the_callers_fault": _READ,
    "test_a_wrong_query_is_named": _READ,
    "test_a_made_up_cursor_is_refused": _READ,
}
