"""Runs the scenarios, and fails if they leave an operation of the SDK, or a member of its answers, out."""

import json
import pathlib
import sys
import unittest

from huaweicloudsdkcsms.v1 import CsmsClient
from huaweicloudsdkiam.v3 import IamClient
from huaweicloudsdkkms.v2 import KmsClient
from huaweicloudsdksts.v1 import StsClient

from peer import Peer, members, model_of, operations

# Members that no answer has, and why.
ABSENT = {
    "Agency.error_msg": "agencies are always made",
    "CreateEcDatakeyPairResponse.ciphertext_recipient": "there is no enclave",
    "CreateEcDatakeyPairResponse.wrapped_private_key": "the SDK cannot ask for it",
    "CreateRsaDatakeyPairResponse.ciphertext_recipient": "there is no enclave",
    "CreateRsaDatakeyPairResponse.wrapped_private_key": "the SDK cannot ask for it",
    "DeriveSharedSecretResponse.ciphertext_recipient": "there is no enclave",
    "ShowKeyRotationStatusResponse.key_materials": "what it tells of imported material is not documented",
    "Region.parent_region_id": "no region has a parent",
    "RegionLocales.es-es": "names of regions are in English and Chinese",
    "RegionLocales.es-us": "names of regions are in English and Chinese",
    "RegionLocales.pt-br": "names of regions are in English and Chinese",
    "UnscopedTokenInfoRoles.id": "without a scope there are no roles",
    "UnscopedTokenInfoRoles.name": "without a scope there are no roles",
    "AssumeAgencyWithOIDCResponse.source_identity": "the SDK cannot send one",
}

HERE = pathlib.Path(__file__).parent


def expected():
    """By client class: everything of CSMS and KMS, and of IAM and STS what our own SDK has."""
    inventory = json.loads((HERE.parent / "inventory" / "iam.json").read_text())
    ours = {operation["name"].lower() for operation in inventory["operations"]}
    every = {client: operations(client) for client in (CsmsClient, KmsClient, IamClient, StsClient)}
    for client in (IamClient, StsClient):
        every[client] = {name for name in every[client] if name.replace("_", "") in ours}
    return every


def left_out():
    """Operations that no scenario has carried out."""
    for client, names in expected().items():
        for name in sorted(names - Peer.carried_out.get(client, set())):
            yield f"{client.__name__}.{name}"


def answers():
    """All members that answers can have, each with whether a scenario has seen it."""
    for client, names in expected().items():
        models = sys.modules[client.__module__.rpartition(".")[0]]
        for name in names:
            yield from members(models, model_of(models, name, "response").__name__, ABSENT)


def gaps():
    """What keeps the scenarios from being complete."""
    for operation in left_out():
        yield f"no scenario carries out {operation}"
    for member, seen in sorted(set(answers())):
        if not seen and member not in ABSENT:
            yield f"no answer of a scenario has {member}"
        if seen and member in ABSENT:
            yield f"{member} is there, although {ABSENT[member]}"


def main(files):
    load = unittest.defaultTestLoader
    scenarios = load.loadTestsFromNames(files) if files else load.discover(str(HERE))
    result = unittest.TextTestRunner(buffer=True, warnings="ignore").run(scenarios)
    found = [] if files else list(gaps())
    for gap in found:
        print(gap, file=sys.stderr)
    if not files and not found:
        count = sum(map(len, expected().values()))
        print(f"all {count} operations were carried out, and all members of their answers seen")
    return 0 if result.wasSuccessful() and not found else 1


sys.exit(main(sys.argv[1:]))
