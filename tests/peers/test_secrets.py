"""The life of a secret."""

import base64

from scenario import DAY, Scenario


class Secrets(Scenario):
    def test_a_secret_is_made_shown_and_read(self):
        name = self.fresh("secret")
        made = self.csms.create_secret(name=name, secret_string="s3cr3t ☂", description="of the scenario").secret
        self.assertEqual((made.name, made.state, made.secret_type), (name, "ENABLED", "COMMON"))
        self.assertEqual((made.description, made.auto_rotation), ("of the scenario", False))
        self.assertRecent(made.create_time)
        self.assertEqual(self.csms.show_secret(secret_name=name).secret.to_dict(), made.to_dict())

        version = self.csms.show_secret_version(secret_name=name, version_id="latest").version
        self.assertEqual((version.secret_string, version.secret_binary), ("s3cr3t ☂", None))
        metadata = version.version_metadata
        self.assertEqual((metadata.id, metadata.secret_name, metadata.version_stages), ("v1", name, ["SYSCURRENT"]))
        self.assertEqual(metadata.kms_key_id, made.kms_key_id)

    def test_without_a_key_the_default_one_protects(self):
        key = self.details(self.secret().kms_key_id)
        self.assertEqual((key.key_alias, key.default_key_flag), ("csms/default", "1"))

    def test_a_binary_value_comes_back_byte_for_byte(self):
        name, value = self.fresh("secret"), bytes(range(256))
        self.csms.create_secret(name=name, secret_binary=base64.b64encode(value).decode())
        version = self.csms.show_secret_version(secret_name=name, version_id="v1").version
        self.assertEqual(base64.b64decode(version.secret_binary), value)
        self.assertIsNone(version.secret_string)

    def test_a_value_cannot_be_read_while_its_key_is_disabled(self):
        key_id = self.key()
        name = self.secret("under my key", kms_key_id=key_id).name
        self.kms.disable_key(key_id=key_id)
        with self.refused(400, "CSMS.0401"):
            self.value(name)
        self.kms.enable_key(key_id=key_id)
        self.assertEqual(self.value(name), "under my key")

    def test_another_key_protects_new_versions_only(self):
        first, second = self.key(), self.key()
        name = self.secret("one", kms_key_id=first).name
        self.assertEqual(self.csms.update_secret(secret_name=name, kms_key_id=second).secret.kms_key_id, second)
        made = self.csms.create_secret_version(secret_name=name, secret_string="two").version_metadata
        self.assertEqual(made.kms_key_id, second)
        old = self.csms.show_secret_version(secret_name=name, version_id="v1").version.version_metadata
        self.assertEqual(old.kms_key_id, first)

    def test_a_name_is_taken_once(self):
        name = self.secret().name
        with self.refused(409, "CSMS.0101"):
            self.secret(name=name)

    def test_a_secret_has_one_value(self):
        with self.refused(400, "CSMS.0002"):
            self.csms.create_secret(name=self.fresh("secret"))
        with self.refused(400, "CSMS.0002"):
            self.csms.create_secret(name=self.fresh("secret"), secret_string="a", secret_binary="Yg==")

    def test_what_does_not_exist_is_not_found(self):
        missing = self.fresh("secret")
        for look in (self.csms.show_secret, self.csms.delete_secret, self.csms.list_secret_versions):
            with self.refused(404, "CSMS.0106"):
                look(secret_name=missing)

    def test_a_description_is_changed_and_cleared(self):
        made = self.secret(description="first")
        changed = self.csms.update_secret(secret_name=made.name, description="second").secret
        self.assertEqual((changed.id, changed.description), (made.id, "second"))
        self.assertGreater(changed.update_time, made.update_time)
        cleared = self.csms.update_secret(secret_name=made.name, description="").secret
        self.assertFalse(cleared.description)

    def test_secrets_are_listed_page_by_page(self):
        event = self.fresh("event")
        self.csms.create_secret_event(
            name=event,
            event_types=["SECRET_DELETED"],
            state="ENABLED",
            notification={"target_type": "SMN", "target_id": "urn:smn:cn-north-4:p:topic", "target_name": "topic"},
        )
        names = [self.secret(event_subscriptions=[event]).name for _ in range(5)]
        listed, marker, pages = [], None, 0
        while True:
            page = self.csms.list_secrets(event_name=event, limit="2", marker=marker)
            self.assertEqual(page.page_info.current_count, len(page.secrets))
            listed += [secret.name for secret in page.secrets]
            marker, pages = page.page_info.next_marker, pages + 1
            if not marker or not page.secrets:
                break
        self.assertCountEqual(listed, names)
        self.assertIn(pages, (3, 4))
        self.assertLessEqual({names[0]}, {secret.name for secret in self.csms.list_secrets(limit="1000").secrets})

    def test_a_secret_is_deleted_and_its_name_is_free(self):
        name = self.secret("old").name
        self.assertEqual(self.csms.delete_secret(secret_name=name).status_code, 200)
        with self.refused(404, "CSMS.0106"):
            self.csms.show_secret(secret_name=name)
        self.secret("new", name=name)
        self.assertEqual(self.value(name, "v1"), "new")

    def test_a_deletion_is_scheduled_and_cancelled(self):
        made = self.secret("kept")
        pending = self.csms.delete_secret_for_schedule(secret_name=made.name, recovery_window_in_days=7).secret
        self.assertEqual(pending.state, "PENDING_DELETE")
        self.assertRecent(pending.scheduled_delete_time - 7 * DAY)
        with self.refused(400, "CSMS.0107"):
            self.value(made.name)
        with self.refused(400, "CSMS.0107"):
            self.csms.update_secret(secret_name=made.name, description="too late")
        with self.refused(409, "CSMS.0101"):
            self.secret(name=made.name)
        restored = self.csms.restore_secret(secret_name=made.name).secret
        self.assertEqual((restored.state, restored.scheduled_delete_time), ("ENABLED", None))
        self.assertEqual(self.value(made.name), "kept")
        with self.refused(400, "CSMS.0108"):
            self.csms.restore_secret(secret_name=made.name)

    def test_the_recovery_window_is_from_7_to_30_days(self):
        name = self.secret().name
        for days in (6, 31):
            with self.refused(400, "CSMS.0002"):
                self.csms.delete_secret_for_schedule(secret_name=name, recovery_window_in_days=days)
        self.assertEqual(self.csms.show_secret(secret_name=name).secret.state, "ENABLED")

    def test_a_backup_brings_a_deleted_secret_back_with_all_versions(self):
        name = self.secret("one", description="kept").name
        self.csms.create_secret_version(secret_name=name, secret_string="two")
        blob = self.csms.download_secret_blob(secret_name=name).secret_blob
        self.assertTrue(blob.startswith(")CloudSecretManagementBackupV1.com"), blob[:40])
        self.assertNotIn("two", blob)
        with self.refused(409, "CSMS.0101"):
            self.csms.upload_secret_blob(secret_blob=blob)
        self.csms.delete_secret(secret_name=name)
        restored = self.csms.upload_secret_blob(secret_blob=blob).secret
        self.assertEqual((restored.name, restored.description, restored.state), (name, "kept", "ENABLED"))
        self.assertEqual((self.value(name, "v1"), self.value(name)), ("one", "two"))

    def test_an_altered_backup_is_refused(self):
        name = self.secret().name
        blob = self.csms.download_secret_blob(secret_name=name).secret_blob
        self.csms.delete_secret(secret_name=name)
        swapped = "A" if blob[-20] != "A" else "B"
        with self.refused(400, "CSMS.0002"):
            self.csms.upload_secret_blob(secret_blob=blob[:-20] + swapped + blob[-19:])

    def test_many_secrets_are_imported_at_once(self):
        taken, first, second = self.secret("before").name, self.fresh("secret"), self.fresh("secret")
        answer = self.csms.batch_import_secrets(
            secrets=[{"name": name, "secret_string": f"of {name}"} for name in (first, taken, second)]
        )
        self.assertEqual((answer.total, answer.success, answer.failed), (3, 2, 1))
        self.assertEqual([error.name for error in answer.error_list], [taken])
        self.assertTrue(answer.error_list[0].error_msg)
        values = [self.value(name) for name in (first, taken, second)]
        self.assertEqual(values, [f"of {first}", "before", f"of {second}"])
