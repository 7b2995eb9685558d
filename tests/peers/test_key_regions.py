"""Keys in several regions."""

from scenario import ELSEWHERE, HOME, Scenario, eventually, kms

ENABLED = "2"


class KeyRegions(Scenario):
    @property
    def elsewhere(self):
        return kms(ELSEWHERE)

    def replicate(self, key_id):
        """A replica of a key, once it is there."""
        answer = self.kms.replicate_key(
            key_id=key_id,
            key_alias=self.fresh("replica"),
            key_description="follows",
            replica_region=ELSEWHERE,
            replica_project_id=self.elsewhere.client.get_credentials().project_id,
        )
        self.assertEqual(answer.region, ELSEWHERE)
        eventually(lambda: self.elsewhere.list_key_detail(key_id=answer.key_id).key_info.key_state == ENABLED)
        return answer.key_id

    def test_the_regions_are_listed(self):
        regions = self.kms.list_support_regions().regions
        self.assertLessEqual({ELSEWHERE, "ap-southeast-1"}, set(regions))
        self.assertEqual(self.kms.list_support_regions(limit=1, offset=1).regions, regions[1:2])

    def test_what_one_region_encrypts_the_other_decrypts(self):
        key_id = self.key()
        replica = self.replicate(key_id)
        described = self.elsewhere.list_key_detail(key_id=replica).key_info
        self.assertEqual((described.key_description, described.key_spec), ("follows", "AES_256"))
        encrypted = self.kms.encrypt_data(key_id=key_id, plain_text="everywhere").cipher_text
        self.assertEqual(self.elsewhere.decrypt_data(cipher_text=encrypted).plain_text, "everywhere")

    def test_a_key_is_not_elsewhere_unless_it_is_replicated(self):
        with self.refused(404, "KMS.0207"):
            self.elsewhere.list_key_detail(key_id=self.key())

    def test_a_replica_only_follows_until_it_leads(self):
        key_id = self.key()
        replica = self.replicate(key_id)
        with self.refused(400, "KMS.0106"):
            self.elsewhere.enable_key_rotation(key_id=replica)
        answer = self.kms.update_primary_region(key_id=key_id, primary_region=ELSEWHERE)
        self.assertEqual((answer.key_id, answer.primary_region), (key_id, ELSEWHERE))
        self.elsewhere.enable_key_rotation(key_id=replica)
        self.assertIs(self.elsewhere.show_key_rotation_status(key_id=replica).key_rotation_enabled, True)
        with self.refused(400, "KMS.0106"):
            self.kms.enable_key_rotation(key_id=key_id)
