"""The keys of a run: who signs, and whom its devices believe."""

from __future__ import annotations

from dataclasses import dataclass

from eew.app.development_key import development_key
from eew.app.key_files import load_keyring, load_signer, load_statements, statements_beside
from eew.app.options import RunOptions
from eew.errors import ConfigError
from eew.messages.seal import KeyPair, Keyring

__all__ = ["RunKeys", "run_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKeys:
    """One signer, one keyring for all devices of the process, and what was handed on before."""

    signer: KeyPair
    keyring: Keyring
    statements: tuple[bytes, ...]


def run_keys(options: RunOptions) -> RunKeys:
    """Load the keys the options name, or derive a development key from the seed.

    Raises
    ------
    ConfigError, DataError
        If a file cannot be used, or the devices would not believe the signer.
    """
    if options.key is None:
        if options.keys is not None:
            raise ConfigError("--keys", "needs --key, the private key that signs")
        signer = development_key(options.seed, options.status)
        return RunKeys(signer=signer, keyring=Keyring([signer.public]), statements=())
    signer = load_signer(options.key, options.status)
    if options.keys is None:
        keyring = Keyring([signer.public])
    else:
        keyring = load_keyring(options.keys)
        held = keyring.get(signer.key_id)
        if held is None or held.raw != signer.public.raw:
            raise ConfigError(
                "--keys", f"{options.keys} does not hold {signer.key_id}: devices would refuse it"
            )
    beside = statements_beside(options.key, options.status)
    statements = load_statements(beside) if beside.exists() else []
    return RunKeys(signer=signer, keyring=keyring, statements=tuple(statements))
