"""Signatures of requests, by the SDK's own signers."""

import datetime
import os

import huaweicloudsdkcsms.v1 as csms_models
import huaweicloudsdkkms.v2 as kms_models
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcsms.v1.region.csms_region import CsmsRegion
from huaweicloudsdkkms.v2.region.kms_region import KmsRegion

from peer import Peer
from scenario import HOME, Scenario


class Signing(Scenario):
    def keys(self, access_key=None, secret_key=None):
        """Credentials, by default those that are good."""
        return BasicCredentials(
            access_key or os.environ["HUAWEICLOUD_SDK_AK"],
            secret_key or os.environ["HUAWEICLOUD_SDK_SK"],
            self.csms.client.get_credentials().project_id,
        )

    def client(self, credentials):
        builder = csms_models.CsmsClient.new_builder().with_region(CsmsRegion.value_of(HOME))
        return Peer(builder.with_credentials(credentials).build(), csms_models)

    def test_the_derived_key_signs_as_well(self):
        credentials = self.keys().with_derived_predicate(lambda request: True)
        builder = kms_models.KmsClient.new_builder()._with_derived_auth_service_name("kms")
        client = builder.with_credentials(credentials).with_region(KmsRegion.value_of(HOME)).build()
        made = Peer(client, kms_models).create_key(key_alias=self.fresh("key")).key_info
        self.assertEqual(self.details(made.key_id).domain_id, made.domain_id)

    def test_plain_http_serves_as_well_as_https(self):
        [endpoint] = CsmsRegion.value_of(HOME).endpoints
        self.assertTrue(endpoint.startswith("https://"))
        region = Region(HOME, endpoint.replace("https://", "http://"))
        client = csms_models.CsmsClient.new_builder().with_credentials(self.keys()).with_region(region).build()
        name = self.secret().name
        shown = Peer(client, csms_models).show_secret(secret_name=name).secret
        self.assertEqual(shown.to_dict(), self.csms.show_secret(secret_name=name).secret.to_dict())

    def test_parameters_are_signed_as_they_are_sent(self):
        tagged = self.secret()
        for key in ("a b", "x:y=z", "p+q", "_@."):
            self.csms.create_secret_tag(secret_id=tagged.id, tag={"key": key, "value": "a/b c@d"})
            self.csms.delete_secret_tag(secret_id=tagged.id, key=key)
        self.assertEqual(self.csms.list_secret_tags(secret_id=tagged.id).tags, [])

    def test_a_wrong_secret_key_is_told_what_was_signed(self):
        with self.assertRaises(ClientRequestException) as caught:
            self.client(self.keys(secret_key="guessed")).list_secrets()
        refusal = caught.exception
        self.assertEqual((refusal.status_code, refusal.error_code), (401, "APIGW.0301"))
        self.assertIn("verify aksk signature fail", refusal.error_msg)
        self.assertIn("canonicalRequest:GET|/v1/", refusal.error_msg)
        self.assertTrue(refusal.request_id)
        self.client(self.keys()).list_secrets()

    def test_an_unknown_access_key_is_refused(self):
        with self.refused(401, "APIGW.0301"):
            self.client(self.keys(access_key="NOSUCHACCESSKEY00001")).list_secrets()

    def test_a_request_of_an_hour_ago_is_refused(self):
        client = self.client(self.keys())
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        client.client.preset_headers["X-Sdk-Date"] = before.strftime("%Y%m%dT%H%M%SZ")
        with self.refused(401, "APIGW.0301"):
            client.list_secrets()

    def test_another_account_s_project_is_unavailable(self):
        credentials = self.keys().with_project_id("0" * 32)
        with self.refused(403, "APIGW.0310"):
            self.client(credentials).list_secrets()

    def test_many_requests_go_at_once(self):
        names = [self.fresh("secret") for _ in range(20)]
        builder = csms_models.CsmsAsyncClient.new_builder(csms_models.CsmsAsyncClient)
        client = builder.with_credentials(self.keys()).with_region(CsmsRegion.value_of(HOME)).build()

        def start(name):
            body = csms_models.CreateSecretRequestBody(name=name, secret_string=f"of {name}")
            return client.create_secret_async(csms_models.CreateSecretRequest(body))

        started = [start(name) for name in names]
        self.assertEqual({answer.result().secret.name for answer in started}, set(names))
        self.assertEqual([self.value(name) for name in names], [f"of {name}" for name in names])
