"""Which addresses a download may connect to: a model's URI must not reach the cloud's metadata service."""

import enum
import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # most clouds; link-local anyway
        "fd00:ec2::254",  # AWS over IPv6
        "fd20:ce::254",  # Google over IPv6
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's wire server
    )
)


class Scope(enum.IntEnum):
    """How far into the private an address is; a redirect may only stay or go outwards."""

    GLOBAL = 0
    PRIVATE = 1
    LOOPBACK = 2
    FORBIDDEN = 3


class ForbiddenAddressError(Exception):
    """A connection that is not made."""


def scope(address: Address) -> Scope:
    """Return the scope of an address; IPv4 inside IPv6 (mapped, NAT64, 6to4) counts as that IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return scope(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return scope(inner)
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return Scope.FORBIDDEN
    if address.is_loopback:
        return Scope.LOOPBACK
    return Scope.GLOBAL if address.is_global else Scope.PRIVATE


class Guard:
    """Connects sockets for one request and the redirects that follow it.

    The first connection may go anywhere but to link-local and metadata addresses; those after it may not go
    further inwards (public to private, private to loopback). The address that was checked is the one that is
    connected to, so a name that changes its answer gains nothing.
    """

    def __init__(self) -> None:
        self._origin: Scope | None = None

    def connect(
        self,
        address: tuple[str, int],
        timeout: float | None = None,
        source_address: tuple[str, int] | None = None,
    ) -> socket.socket:
        """Stand in for `socket.create_connection`. Raises `ForbiddenAddressError` and `OSError`."""
        host, port = address
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        failure: Exception = OSError(f"{host} has no address")
        for *_, peer in answers:
            place = ipaddress.ip_address(str(peer[0]).partition("%")[0])
            try:
                self._admit(host, place)
                connection = socket.create_connection((str(peer[0]), port), timeout, source_address)
            except (ForbiddenAddressError, OSError) as error:
                failure = error
                continue
            self._origin = scope(place)
            return connection
        raise failure

    def literal(self, host: str) -> None:
        """Check a host that is an address, for where a proxy does the connecting and we see no other."""
        try:
            place = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return
        self._admit(host, place)

    def _admit(self, host: str, place: Address) -> None:
        there = scope(place)
        if there is Scope.FORBIDDEN:
            raise ForbiddenAddressError(f"{host} is a link-local or metadata address ({place})")
        if self._origin is not None and there > self._origin:
            raise ForbiddenAddressError(f"a redirect leads to {host}, a {there.name.lower()} address ({place})")
