"""Whose word about the source of a request counts."""

import pytest

from shared_contracts.sources import Proxies, neighbourhood

PROXIES = Proxies("10.0.0.0/8, 192.0.2.1,2001:db8:1::/48")


@pytest.mark.parametrize(
    ("remote", "headers", "source"),
    [
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        ("10.1.1.1", [], "10.1.1.1"),
        ("10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["1.1.1.1, 198.51.100.1, 192.0.2.1"], "198.51.100.1"),
        ("10.1.1.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["10.2.2.2"], "10.2.2.2"),
        ("10.1.1.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.1.1.1", ['"[2001:db8::9]:4711"'], "2001:db8::9"),
        ("::ffff:10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("2001:db8:1::7", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["198.51.100.1, unknown"], "10.1.1.1"),
        ("10.1.1.1", [""], "10.1.1.1"),
        (None, ["198.51.100.1"], None),
    ],
)
def test_the_source_is_the_last_hop_that_is_no_proxy_of_ours(
    remote: str | None, headers: list[str], source: str | None
) -> None:
    assert PROXIES.source(remote, headers) == source


def test_without_named_proxies_nobody_is_believed() -> None:
    nobody = Proxies("")

    assert nobody.source("127.0.0.1", ["198.51.100.1"]) == "127.0.0.1"
    assert not nobody.secured("127.0.0.1", "https")


@pytest.mark.parametrize("networks", ["proxy.example", "10.0.0.0/33", "10.0.0.1/8"])
def test_what_is_no_network_is_refused(networks: str) -> None:
    with pytest.raises(ValueError, match=r"not appear to be|has host bits"):
        Proxies(networks)


@pytest.mark.parametrize(
    ("source", "near"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_limit_counts_by_address_and_by_site(source: str, near: str) -> None:
    assert neighbourhood(source) == near
