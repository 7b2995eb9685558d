"""What every scenario starts from: clients of the official SDK that reach the emulator as an application would."""

import contextlib
import functools
import itertools
import json
import os
import time
import unittest
import urllib.request

import huaweicloudsdkcsms.v1 as csms_models
import huaweicloudsdkiam.v3 as iam_models
import huaweicloudsdkkms.v2 as kms_models
import huaweicloudsdksts.v1 as sts_models
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServerResponseException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcsms.v1.region.csms_region import CsmsRegion
from huaweicloudsdkkms.v2.region.kms_region import KmsRegion

from peer import Peer

HOME = "cn-north-4"
ELSEWHERE = "cn-east-3"

# Of one day, in milliseconds.
DAY = 24 * 60 * 60 * 1000

numbers = itertools.count(1)


@functools.cache
def csms(region=HOME):
    """CSMS in a region. Credentials, endpoint and project are looked up by the SDK, from the variables it knows."""
    return Peer(csms_models.CsmsClient.new_builder().with_region(CsmsRegion.value_of(region)).build(), csms_models)


@functools.cache
def kms(region=HOME):
    """KMS in a region."""
    return Peer(kms_models.KmsClient.new_builder().with_region(KmsRegion.value_of(region)).build(), kms_models)


@functools.cache
def iam():
    """IAM. Its clients are of an account, not of a project."""
    endpoint = Region(HOME, os.environ["HUAWEICLOUD_SDK_IAM_ENDPOINT"])
    return Peer(iam_models.IamClient.new_builder().with_region(endpoint).build(), iam_models)


@functools.cache
def sts():
    """STS."""
    endpoint = Region(HOME, os.environ["HUAWEICLOUD_SDK_STS_ENDPOINT"])
    return Peer(sts_models.StsClient.new_builder().with_region(endpoint).build(), sts_models)


def control(method, path, body=None):
    """Tells the emulator what no cloud can be told."""
    content = None if body is None else json.dumps(body).encode()
    url = f"{os.environ['HUAWEICLOUD_SDK_IAM_ENDPOINT']}/_emulator/{path}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(urllib.request.Request(url, content, method=method)) as answer:
        return json.load(answer)


# How far the time of the emulator is ahead of ours, in milliseconds.
ahead = 0


def advance(days):
    """Moves the time of the emulator."""
    global ahead
    control("POST", "clock", {"advance_seconds": days * DAY // 1000})
    ahead += days * DAY


def milliseconds():
    """The time of the emulator."""
    return time.time_ns() // 1_000_000 + ahead


def eventually(look, seconds=5):
    """What `look` returns once that is true."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"did not come true within {seconds} seconds")
        time.sleep(0.05)
    return seen


class Scenario(unittest.TestCase):
    """Scenarios share one emulator, and keep out of each other's way by names of their own."""

    maxDiff = None

    @property
    def csms(self):
        return csms()

    @property
    def kms(self):
        return kms()

    @staticmethod
    def fresh(prefix):
        """A name that no other scenario has."""
        return f"{prefix}-{next(numbers)}"

    @contextlib.contextmanager
    def refused(self, status, code):
        """Passes if what is done in it is refused with this status and code, by the SDK's own exception. Codes of IAM's
        oldest part are numbers."""
        expected = ClientRequestException if status < 500 else ServerResponseException
        with self.assertRaises(expected) as caught:
            yield
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (status, code), caught.exception)
        self.assertTrue(caught.exception.request_id, "no X-Request-Id")

    def secret(self, value="value", **parameters):
        """A new secret."""
        parameters.setdefault("name", self.fresh("secret"))
        return self.csms.create_secret(secret_string=value, **parameters).secret

    def value(self, name, version="latest"):
        """A text that a secret holds."""
        return self.csms.show_secret_version(secret_name=name, version_id=version).version.secret_string

    def key(self, **parameters):
        """The id of a new key."""
        parameters.setdefault("key_alias", self.fresh("key"))
        return self.kms.create_key(**parameters).key_info.key_id

    def details(self, key_id):
        """A key as KMS describes it."""
        return self.kms.list_key_detail(key_id=key_id).key_info

    def assertRecent(self, time):
        """A time in milliseconds is one of just now."""
        self.assertLess(abs(int(time) - milliseconds()), 60_000)
