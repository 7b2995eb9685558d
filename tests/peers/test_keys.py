"""The life of a key, and what is asked about keys."""

from scenario import DAY, Scenario

ENABLED, DISABLED, PENDING_DELETION = "2", "3", "4"

MISSING = "00000000-0000-0000-0000-000000000000"


class Keys(Scenario):
    def state(self, key_id):
        return self.details(key_id).key_state

    def test_a_key_is_made_and_described(self):
        alias = self.fresh("key")
        made = self.kms.create_key(key_alias=alias, key_description="of the scenario").key_info
        key = self.details(made.key_id)
        self.assertEqual((key.key_id, key.domain_id, key.key_alias), (made.key_id, made.domain_id, alias))
        self.assertEqual((key.key_spec, key.key_usage, key.origin), ("AES_256", "ENCRYPT_DECRYPT", "kms"))
        self.assertEqual((key.key_state, key.default_key_flag, key.keystore_id), (ENABLED, "0", "0"))
        self.assertEqual((key.key_description, key.key_rotation_enabled), ("of the scenario", "false"))
        self.assertEqual((key.scheduled_deletion_date, key.expiration_time), ("", ""))
        self.assertRecent(key.creation_date)

    def test_each_kind_of_key_has_its_usage(self):
        for spec, usage in (
            ("SM4", "ENCRYPT_DECRYPT"),
            ("RSA_2048", "SIGN_VERIFY"),
            ("EC_P256", "SIGN_VERIFY"),
            ("SM2", "SIGN_VERIFY"),
            ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ):
            key = self.details(self.key(key_spec=spec))
            self.assertEqual((key.key_spec, key.key_usage), (spec, usage))

    def test_a_key_is_disabled_and_enabled(self):
        key_id = self.key()
        disabled = self.kms.disable_key(key_id=key_id).key_info
        self.assertEqual((disabled.key_id, disabled.key_state), (key_id, DISABLED))
        with self.refused(400, "KMS.1301"):
            self.kms.disable_key(key_id=key_id)
        with self.refused(400, "KMS.0209"):
            self.kms.encrypt_data(key_id=key_id, plain_text="x")
        enabled = self.kms.enable_key(key_id=key_id).key_info
        self.assertEqual((enabled.key_id, enabled.key_state), (key_id, ENABLED))
        with self.refused(400, "KMS.1201"):
            self.kms.enable_key(key_id=key_id)

    def test_a_deletion_is_scheduled_and_cancelled(self):
        key_id = self.key()
        scheduled = self.kms.delete_key(key_id=key_id, pending_days="7")
        self.assertEqual((scheduled.key_id, scheduled.key_state), (key_id, PENDING_DELETION))
        self.assertRecent(int(self.details(key_id).scheduled_deletion_date) - 7 * DAY)
        with self.refused(400, "KMS.1402"):
            self.kms.delete_key(key_id=key_id, pending_days="7")
        with self.refused(400, "KMS.0210"):
            self.kms.encrypt_data(key_id=key_id, plain_text="x")
        cancelled = self.kms.cancel_key_deletion(key_id=key_id)
        self.assertEqual((cancelled.key_id, cancelled.key_state), (key_id, DISABLED))
        self.assertEqual(self.details(key_id).scheduled_deletion_date, "")
        with self.refused(400, "KMS.1501"):
            self.kms.cancel_key_deletion(key_id=key_id)

    def test_a_deletion_waits_from_7_to_1096_days(self):
        key_id = self.key()
        for days in ("6", "1097"):
            with self.refused(400, "KMS.1401"):
                self.kms.delete_key(key_id=key_id, pending_days=days)
        self.assertEqual(self.state(key_id), ENABLED)

    def test_name_and_description_are_changed(self):
        key_id, alias = self.key(), self.fresh("key")
        renamed = self.kms.update_key_alias(key_id=key_id, key_alias=alias).key_info
        self.assertEqual((renamed.key_id, renamed.key_alias), (key_id, alias))
        described = self.kms.update_key_description(key_id=key_id, key_description="changed").key_info
        self.assertEqual((described.key_id, described.key_description), (key_id, "changed"))
        key = self.details(key_id)
        self.assertEqual((key.key_alias, key.key_description), (alias, "changed"))

    def test_a_name_is_taken_once_and_never_a_default_key_s(self):
        alias = self.fresh("key")
        self.key(key_alias=alias)
        with self.refused(400, "KMS.1104"):
            self.key(key_alias=alias)
        with self.refused(400, "KMS.1101"):
            self.key(key_alias="mine/default")

    def test_default_keys_stay_as_they_are(self):
        key_id = self.secret().kms_key_id
        for change in (
            lambda: self.kms.disable_key(key_id=key_id),
            lambda: self.kms.delete_key(key_id=key_id, pending_days="7"),
            lambda: self.kms.update_key_alias(key_id=key_id, key_alias=self.fresh("key")),
            lambda: self.kms.enable_key_rotation(key_id=key_id),
        ):
            with self.refused(400, "KMS.0211"):
                change()
        self.assertEqual(self.state(key_id), ENABLED)

    def test_what_does_not_exist_is_not_found(self):
        with self.refused(404, "KMS.0207"):
            self.details(MISSING)
        with self.refused(400, "KMS.0205"):
            self.details("no-key-id")

    def test_keys_are_listed_by_state_and_kind(self):
        aes, rsa, off = self.key(), self.key(key_spec="RSA_2048"), self.key()
        self.kms.disable_key(key_id=off)
        listed = set(self.kms.list_keys(limit="1000").keys)
        self.assertLessEqual({aes, off}, listed)
        self.assertNotIn(rsa, listed)
        self.assertLessEqual({aes, off, rsa}, set(self.kms.list_keys(limit="1000", key_spec="ALL").keys))
        disabled = self.kms.list_keys(limit="1000", key_state=DISABLED)
        self.assertIn(off, disabled.keys)
        self.assertNotIn(aes, disabled.keys)
        self.assertEqual({key.key_state for key in disabled.key_details}, {DISABLED})

    def test_keys_are_listed_page_by_page(self):
        made = {self.key() for _ in range(3)}
        listed, marker = [], None
        while True:
            page = self.kms.list_keys(limit="2", marker=marker)
            self.assertEqual([key.key_id for key in page.key_details], page.keys)
            listed += page.keys
            if page.truncated == "false":
                break
            self.assertEqual(page.truncated, "true")
            marker = page.next_marker
        self.assertEqual(page.next_marker, "")
        self.assertLessEqual(made, set(listed))
        self.assertEqual((len(listed), len(set(listed))), (page.total, page.total))

    def test_instances_and_quotas_count_the_keys(self):
        before = self.kms.show_user_instances().instance_num
        self.key()
        self.assertEqual(self.kms.show_user_instances().instance_num, before + 1)
        quotas = {quota.type: quota for quota in self.kms.show_user_quotas().quotas.resources}
        self.assertEqual(set(quotas), {"CMK", "grant_per_CMK"})
        self.assertEqual(quotas["CMK"].used, before + 1)
        self.assertGreater(quotas["CMK"].quota, before)

    def test_versions_of_the_api_are_told_to_anybody(self):
        versions = {version.id: version for version in self.kms.show_versions().versions}
        self.assertEqual(versions["v1.0"].status, "CURRENT")
        version = self.kms.show_version(version_id="v1.0").version
        self.assertEqual((version["id"], version["status"]), ("v1.0", "CURRENT"))
