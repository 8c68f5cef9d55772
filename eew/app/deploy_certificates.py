"""A small certificate authority for one deployment: ECDSA P-256, X.509 v3 (RFC 5280)."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from eew.clock import NS_PER_S
from eew.errors import ConfigError

__all__ = ["Authority", "Issued"]

_AUTHORITY_DAYS = 20 * 365  # it outlives what it issues, so that devices can keep it
_BACKDATED_S = 300  # a device's clock may be slow
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates for brokers and accounts.

    Parameters
    ----------
    pem : Issued, optional
        An authority made before; a new one by default.
    now_ns : int
        UTC ns at which validity begins.
    days : int
        How long what it issues is valid.

    Raises
    ------
    ConfigError
        If ``pem`` is not a certificate of an authority and its key.
    """

    def __init__(self, *, now_ns: int, days: int, pem: Issued | None = None) -> None:
        start = datetime.datetime.fromtimestamp(now_ns // NS_PER_S, datetime.UTC)
        self._from = start - datetime.timedelta(seconds=_BACKDATED_S)
        self._until = start + datetime.timedelta(days=_AUTHORITY_DAYS)
        if pem is None:
            self._key = ec.generate_private_key(ec.SECP256R1())
            self._certificate = self._self_signed()
        else:
            self._key, self._certificate = _read(pem)
        ends = self._certificate.not_valid_after_utc
        self._until = min(start + datetime.timedelta(days=days), ends)

    @property
    def pem(self) -> Issued:
        """The authority's own certificate and key."""
        return Issued(_pem(self._certificate), _key_pem(self._key))

    def server(self, name: str, hosts: Sequence[str]) -> Issued:
        """Return a certificate for a broker that is reached under any of ``hosts``."""
        wanted = dict.fromkeys(_LOOPBACK if "localhost" in hosts else ())
        wanted.update(dict.fromkeys(hosts))
        names = x509.SubjectAlternativeName([_general_name(host) for host in wanted])
        return self._issue(name, ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, account: str) -> Issued:
        """Return a certificate whose common name is an account."""
        return self._issue(account, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _self_signed(self) -> x509.Certificate:
        key = self._key
        return (
            self._builder("EEW simulation CA", key.public_key())
            .issuer_name(_name("EEW simulation CA"))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )

    def _issue(
        self,
        name: str,
        purpose: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        authority = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        builder = (
            self._builder(name, key.public_key())
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority.value),
                critical=False,
            )
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return Issued(_pem(builder.sign(self._key, hashes.SHA256())), _key_pem(key))

    def _builder(self, name: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._from)
            .not_valid_after(self._until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read(pem: Issued) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = serialization.load_pem_private_key(pem.key, None)
        certificate = x509.load_pem_x509_certificate(pem.certificate)
    except (ValueError, TypeError) as error:
        raise ConfigError("ca", f"not a certificate and its key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or (
        key.public_key() != certificate.public_key()
    ):
        raise ConfigError("ca", "the key is not that of the certificate")
    return key, certificate
