"""Servers for browsers."""

import harness


def served(**settings):
    # A browser opens connections before it has a use for them. One on which nothing has come holds
    # an ending httpd up for as long as it waits for a request, 20 s if it is not told otherwise.
    with harness.serving(extra="RequestReadTimeout handshake=5 header=5",
                         expected=["AH00045: child process .* still did not exit"],
                         **settings) as server:
        yield server
