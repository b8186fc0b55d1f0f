"""Servers for browsers."""

import harness


def served(**settings):
    # A browser opens connections before it has a use for them. One on which nothing has come holds
    # an ending httpd up for as long as it waits for a request, 20 s if it is not told otherwise.
    server = harness.Httpd(extra="RequestReadTimeout handshake=5 header=5", **settings)
    server.expected.append("AH00045: child process .* still did not exit")
    server.start()
    yield server
    try:
        server.stop()
    finally:
        server.kill()
        server.remove()
