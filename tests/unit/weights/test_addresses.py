import ipaddress
import socket

import pytest
from modelwright.weights.addresses import ForbiddenAddressError, Guard, Scope, scope


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", Scope.GLOBAL),
        ("2001:4860:4860::8888", Scope.GLOBAL),
        ("10.96.0.1", Scope.PRIVATE),
        ("100.64.0.1", Scope.PRIVATE),
        ("fd12::1", Scope.PRIVATE),
        ("127.0.0.1", Scope.LOOPBACK),
        ("::1", Scope.LOOPBACK),
        ("169.254.169.254", Scope.FORBIDDEN),
        ("169.254.170.2", Scope.FORBIDDEN),
        ("fe80::1", Scope.FORBIDDEN),
        ("fd00:ec2::254", Scope.FORBIDDEN),
        ("100.100.100.200", Scope.FORBIDDEN),
        ("168.63.129.16", Scope.FORBIDDEN),
        ("0.0.0.0", Scope.FORBIDDEN),
        ("224.0.0.1", Scope.FORBIDDEN),
        ("::ffff:169.254.169.254", Scope.FORBIDDEN),
        ("64:ff9b::a9fe:a9fe", Scope.FORBIDDEN),
        ("2002:a9fe:a9fe::1", Scope.FORBIDDEN),
        ("::ffff:127.0.0.1", Scope.LOOPBACK),
    ],
)
def test_the_scope_of_an_address(address, expected):
    assert scope(ipaddress.ip_address(address)) is expected


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "2852039166", "::ffff:169.254.169.254"])
def test_the_metadata_service_is_never_connected_to_however_it_is_written(host):
    with pytest.raises(ForbiddenAddressError, match="link-local or metadata"):
        Guard().connect((host, 80), 1)


def test_a_chain_that_began_on_the_loopback_may_stay_there():
    guard = Guard()
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(2):
            guard.connect(("127.0.0.1", server.getsockname()[1]), 1).close()


def test_a_chain_that_began_outside_may_not_come_inside():
    guard = Guard()
    guard._origin = Scope.GLOBAL
    with pytest.raises(ForbiddenAddressError, match=r"redirect leads to .*loopback"):
        guard.connect(("127.0.0.1", 80), 1)
