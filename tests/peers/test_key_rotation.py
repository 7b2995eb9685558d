"""Rotation of keys."""

from scenario import Scenario


class KeyRotation(Scenario):
    def test_rotation_is_switched_on_and_off(self):
        key_id = self.key()
        status = self.kms.show_key_rotation_status(key_id=key_id)
        self.assertEqual((status.key_rotation_enabled, status.rotation_interval), (False, None))
        self.kms.enable_key_rotation(key_id=key_id)
        status = self.kms.show_key_rotation_status(key_id=key_id)
        self.assertEqual((status.key_rotation_enabled, status.rotation_interval), (True, 365))
        self.assertEqual(status.number_of_rotations, 0)
        self.assertEqual(self.details(key_id).key_rotation_enabled, "true")
        with self.refused(400, "KMS.2901"):
            self.kms.enable_key_rotation(key_id=key_id)
        self.kms.disable_key_rotation(key_id=key_id)
        self.assertIs(self.kms.show_key_rotation_status(key_id=key_id).key_rotation_enabled, False)
        with self.refused(400, "KMS.0313"):
            self.kms.disable_key_rotation(key_id=key_id)

    def test_the_interval_is_from_30_to_365_days(self):
        key_id = self.key()
        with self.refused(400, "KMS.0313"):
            self.kms.update_key_rotation_interval(key_id=key_id, rotation_interval=30)
        self.kms.enable_key_rotation(key_id=key_id)
        self.kms.update_key_rotation_interval(key_id=key_id, rotation_interval=30)
        self.assertEqual(self.kms.show_key_rotation_status(key_id=key_id).rotation_interval, 30)
        for days in (29, 366):
            with self.refused(400, "KMS.3001"):
                self.kms.update_key_rotation_interval(key_id=key_id, rotation_interval=days)
        self.assertEqual(self.kms.show_key_rotation_status(key_id=key_id).rotation_interval, 30)

    def test_keys_of_other_kinds_do_not_rotate(self):
        with self.refused(400, "KMS.0312"):
            self.kms.enable_key_rotation(key_id=self.key(origin="external"))
        with self.refused(400, "KMS.0325"):
            self.kms.enable_key_rotation(key_id=self.key(key_spec="EC_P256"))
