"""What happens by itself in time, which the emulator moves on request."""

import huaweicloudsdkcsms.v1 as csms_models
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcsms.v1.region.csms_region import CsmsRegion

from peer import Peer
from scenario import DAY, HOME, Scenario, advance, eventually, iam, milliseconds


class Time(Scenario):
    def test_a_secret_is_gone_when_its_window_ends(self):
        name, kept = self.secret().name, self.secret().name
        self.csms.delete_secret_for_schedule(secret_name=name, recovery_window_in_days=7)
        self.csms.delete_secret_for_schedule(secret_name=kept, recovery_window_in_days=30)
        advance(days=8)
        with self.refused(404, "CSMS.0106"):
            self.csms.show_secret(secret_name=name)
        self.assertEqual(self.csms.restore_secret(secret_name=kept).secret.state, "ENABLED")

    def test_a_key_is_gone_when_its_wait_ends(self):
        key_id = self.key()
        self.kms.delete_key(key_id=key_id, pending_days="7")
        advance(days=8)
        with self.refused(404, "KMS.0207"):
            self.details(key_id)

    def test_a_key_rotates_when_it_is_due_and_decrypts_what_is_older(self):
        key_id = self.key()
        before = self.kms.encrypt_data(key_id=key_id, plain_text="before").cipher_text
        self.kms.enable_key_rotation(key_id=key_id)
        self.kms.update_key_rotation_interval(key_id=key_id, rotation_interval=30)
        advance(days=31)
        status = self.kms.show_key_rotation_status(key_id=key_id)
        self.assertEqual((status.number_of_rotations, status.rotation_interval), (1, 30))
        self.assertTrue(status.last_rotation_time)
        after = self.kms.encrypt_data(key_id=key_id, plain_text="after").cipher_text
        texts = [self.kms.decrypt_data(cipher_text=cipher_text).plain_text for cipher_text in (before, after)]
        self.assertEqual(texts, ["before", "after"])

    def test_a_secret_rotates_when_it_is_due(self):
        name = self.secret(
            '{"password":"old"}',
            secret_type="RDS-FG",
            rotation_config='{"InstanceId":"instance","SecretSubType":"SingleUser"}',
            rotation_func_urn="urn:fss:cn-north-4:project:function:default:rotate:latest",
            auto_rotation=True,
            rotation_period="12h",
        ).name
        advance(days=1)
        eventually(lambda: self.csms.list_secret_task(secret_name=name, status="SUCCESS").tasks)
        self.assertNotEqual(self.value(name), self.value(name, "v1"))
        self.assertGreater(self.csms.show_secret(secret_name=name).secret.next_rotation_time, milliseconds())

    def test_a_version_that_expires_is_notified_and_stays(self):
        event = self.fresh("event")
        self.csms.create_secret_event(
            name=event,
            event_types=["SECRET_VERSION_EXPIRED"],
            state="ENABLED",
            notification={"target_type": "SMN", "target_id": "urn:smn:cn-north-4:p:topic", "target_name": "topic"},
        )
        name = self.secret("stays", event_subscriptions=[event]).name
        self.csms.update_version(secret_name=name, version_id="v1", expire_time=milliseconds() + DAY)
        advance(days=2)
        records = self.csms.list_notification_records().records
        types = [record.trigger_event_type for record in records if record.event_name == event]
        self.assertEqual(types, ["SECRET_VERSION_EXPIRED"])
        self.assertEqual(self.value(name), "stays")

    def test_temporary_keys_expire(self):
        role = {"agency_name": "operations", "domain_name": "emulator", "duration_seconds": 900}
        credential = iam().create_temporary_access_key_by_agency(
            auth={"identity": {"methods": ["assume_role"], "assume_role": role}}
        ).credential
        keys = BasicCredentials(credential.access, credential.secret).with_security_token(credential.securitytoken)
        builder = csms_models.CsmsClient.new_builder().with_region(CsmsRegion.value_of(HOME))
        client = Peer(builder.with_credentials(keys).build(), csms_models)
        client.list_secrets(limit="1")
        advance(days=1)
        with self.refused(401, "APIGW.0301"):
            client.list_secrets(limit="1")
