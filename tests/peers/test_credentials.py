"""Where credentials come from: temporary keys, and the providers of the SDK."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import tempfile
import time
from unittest import mock

import huaweicloudsdkcsms.v1 as csms_models
from huaweicloudsdkcore.auth import provider
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.auth.internal import MetadataAccessor
from huaweicloudsdkcsms.v1.region.csms_region import CsmsRegion

from peer import Peer
from scenario import HOME, Scenario, iam, sts

ENDPOINT = os.environ["HUAWEICLOUD_SDK_IAM_ENDPOINT"]

# What a provider must not find that looks elsewhere.
KEYS = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK")


def id_token(subject="shop", secret="shared-by-pipeline-and-emulator", **claims):
    """A token of the identity provider in the seed."""
    def encode(content):
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    claims = {
        "iss": "https://pipeline.example.com",
        "aud": "csms",
        "sub": subject,
        "exp": int(time.time()) + 3600,
        **claims,
    }
    signed = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{encode(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


class Credentials(Scenario):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def file(self, name, content):
        path = self.directory / name
        path.write_text(content)
        return str(path)

    def without_keys(self, **variables):
        """The environment without keys, and with these variables."""
        others = {name: value for name, value in os.environ.items() if name not in KEYS}
        return mock.patch.dict(os.environ, {**others, **variables}, clear=True)

    def assertServed(self, credentials):
        """A client with these credentials, or with what the SDK finds by itself, makes a secret and reads it."""
        builder = csms_models.CsmsClient.new_builder().with_region(CsmsRegion.value_of(HOME))
        client = Peer(builder.with_credentials(credentials).build(), csms_models)
        name = self.fresh("secret")
        client.create_secret(name=name, secret_string="as somebody else")
        self.assertEqual(self.value(name), "as somebody else")

    def temporary(self, credential):
        keys = BasicCredentials(credential.access, credential.secret)
        return keys.with_security_token(credential.securitytoken)


class TemporaryKeys(Credentials):
    def test_an_agency_gives_keys(self):
        role = {"agency_name": "operations", "domain_name": "emulator", "duration_seconds": 1200}
        credential = iam().create_temporary_access_key_by_agency(
            auth={"identity": {"methods": ["assume_role"], "assume_role": role}}
        ).credential
        self.assertServed(self.temporary(credential))

    def test_a_token_buys_keys(self):
        user = {"name": "developer", "password": "emulator-password", "domain": {"name": "emulator"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        token = iam().keystone_create_user_token_by_password(
            auth={"identity": identity, "scope": {"project": {"name": HOME}}}
        ).x_subject_token

        def buy(token):
            identity = {"methods": ["token"], "token": {"id": token, "duration_seconds": 900}}
            return iam().create_temporary_access_key_by_token(auth={"identity": identity}).credential

        credential = buy(token)
        self.assertRegex(credential.expires_at, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertServed(self.temporary(credential))
        with self.refused(401, "IAM.0061"):
            buy("made up")

    def test_sts_gives_keys_and_knows_whose_they_are(self):
        me = sts().get_caller_identity()
        self.assertEqual(me.principal_urn, f"iam::{me.account_id}:user:developer")
        answer = sts().assume_agency(
            agency_urn=f"iam::{me.account_id}:agency:operations",
            agency_session_name="night",
            duration_seconds=900,
            source_identity="shop",
        )
        self.assertEqual(answer.source_identity, "shop")
        self.assertIn("operations/night", answer.assumed_agency.urn)
        keys = answer.credentials
        credentials = BasicCredentials(keys.access_key_id, keys.secret_access_key)
        self.assertServed(credentials.with_security_token(keys.security_token))

    def test_keys_do_not_work_without_their_security_token(self):
        role = {"agency_name": "operations", "domain_name": "emulator"}
        credential = iam().create_temporary_access_key_by_agency(
            auth={"identity": {"methods": ["assume_role"], "assume_role": role}}
        ).credential
        project = self.csms.client.get_credentials().project_id
        builder = csms_models.CsmsClient.new_builder().with_region(CsmsRegion.value_of(HOME))
        for token in (None, credential.securitytoken[:-8] + "AAAAAAA="):
            keys = BasicCredentials(credential.access, credential.secret, project).with_security_token(token)
            with self.refused(401, "APIGW.0301"):
                Peer(builder.with_credentials(keys).build(), csms_models).list_secrets()


class Federation(Credentials):
    def test_an_id_token_buys_a_token(self):
        def buy(scope):
            return iam().create_token_with_id_token(
                x_idp_id="pipeline", auth={"id_token": {"id": id_token()}, "scope": scope}
            )

        answer = buy({"project": {"name": HOME}})
        self.assertEqual((answer.status_code, answer.token.user.name), (201, "shop"))
        self.assertEqual(answer.token.user.os_federation.identity_provider.id, "pipeline")
        self.assertEqual(answer.token.project.name, HOME)
        self.assertTrue(answer.x_subject_token)
        self.assertEqual(buy({"domain": {"name": "emulator"}}).token.domain.name, "emulator")

    def test_an_id_token_buys_a_token_without_scope(self):
        def buy(token):
            return iam().create_unscoped_token_with_id_token(
                idp_id="pipeline", protocol_id="oidc", authorization=f"Bearer {token}"
            )

        answer = buy(id_token())
        self.assertEqual((answer.status_code, answer.token.user.name), (201, "shop"))
        self.assertEqual(answer.token.user.os_federation.protocol.id, "oidc")
        self.assertTrue(answer.x_subject_token)
        for token in (id_token(secret="another"), id_token(exp=1), id_token(aud="others")):
            with self.refused(401, 401):
                buy(token)

    def test_an_agency_trusts_the_identity_provider(self):
        account = sts().get_caller_identity().account_id
        answer = sts().assume_agency_with_oidc(
            provider_urn=f"iam::{account}:oidc-provider:pipeline",
            agency_urn=f"iam::{account}:agency:pipelines",
            agency_session_name="build",
            id_token=id_token("builder"),
        )
        self.assertEqual(answer.subject_from_id_token, "builder")
        keys = answer.credentials
        credentials = BasicCredentials(keys.access_key_id, keys.secret_access_key)
        self.assertServed(credentials.with_security_token(keys.security_token))


class Providers(Credentials):
    def test_variables(self):
        self.assertServed(provider.EnvCredentialProvider.get_basic().get_credentials())

    def test_profile_file(self):
        keys = "\n".join(f"{name} = {os.environ[variable]}" for name, variable in zip(("ak", "sk"), KEYS))
        path = self.file("credentials", f"[basic]\n{keys}\niam_endpoint = {ENDPOINT}\n")
        with self.without_keys(HUAWEICLOUD_SDK_CREDENTIALS_FILE=path):
            self.assertServed(provider.ProfileCredentialProvider.get_basic().get_credentials())

    def test_server_metadata(self):
        # On a server the address is fixed; here it is the emulator's.
        with self.without_keys(), mock.patch.object(MetadataAccessor, "_METADATA_ENDPOINT", ENDPOINT):
            self.assertServed(provider.MetadataCredentialProvider.get_basic().get_credentials())

    def test_pod_identity(self):
        with self.without_keys(
            HC_CONTAINER_CREDENTIALS_FULL_URI=f"{ENDPOINT}/pod-identity/credentials",
            HC_CONTAINER_AUTHORIZATION_TOKEN_FILE=self.file("token", "pod-token"),
        ):
            self.assertServed(provider.PodIdentityCredentialProvider.get_basic().get_credentials())

    def test_id_token_file(self):
        with self.without_keys(
            HUAWEICLOUD_SDK_IDP_ID="pipeline", HUAWEICLOUD_SDK_ID_TOKEN_FILE=self.file("token", id_token())
        ):
            self.assertServed(provider.EnvCredentialProvider.get_basic().get_credentials())

    def test_id_token_by_sts(self):
        account = sts().get_caller_identity().account_id
        with self.without_keys(
            HUAWEICLOUD_OIDC_PROVIDER_URN=f"iam::{account}:oidc-provider:pipeline",
            HUAWEICLOUD_OIDC_AGENCY_URN=f"iam::{account}:agency:pipelines",
            HUAWEICLOUD_OIDC_TOKEN_FILE=self.file("token", id_token()),
        ):
            self.assertServed(provider.OidcStsCredentialProvider.get_basic().get_credentials())
