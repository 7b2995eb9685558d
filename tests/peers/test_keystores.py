"""Keystores of one's own. There is no cluster behind them here."""

from scenario import Scenario


class Keystores(Scenario):
    def keystore(self):
        answer = self.kms.create_key_store(
            keystore_alias=self.fresh("keystore"), hsm_cluster_id=self.fresh("cluster"), hsm_ca_cert="certificate"
        )
        return answer.keystore.keystore_id

    def test_a_keystore_is_made_switched_and_deleted(self):
        alias, cluster = self.fresh("keystore"), self.fresh("cluster")
        made = self.kms.create_key_store(
            keystore_alias=alias, hsm_cluster_id=cluster, hsm_ca_cert="certificate"
        ).keystore
        shown = self.kms.show_key_store(keystore_id=made.keystore_id).keystore
        self.assertEqual((shown.keystore_id, shown.domain_id), (made.keystore_id, made.domain_id))
        self.assertEqual((shown.keystore_alias, shown.hsm_cluster_id), (alias, cluster))
        self.assertRecent(shown.create_time)

        enabled = self.kms.enable_key_store(keystore_id=made.keystore_id).keystore
        disabled = self.kms.disable_key_store(keystore_id=made.keystore_id).keystore
        self.assertEqual((enabled.keystore_id, disabled.keystore_id), (made.keystore_id, made.keystore_id))
        self.assertNotEqual(enabled.keystore_state, disabled.keystore_state)

        self.assertEqual(self.kms.delete_key_store(keystore_id=made.keystore_id).status_code, 200)
        with self.refused(400, "KMS.8003"):
            self.kms.show_key_store(keystore_id=made.keystore_id)

    def test_keystores_are_listed_page_by_page(self):
        made = {self.keystore() for _ in range(3)}
        total = self.kms.list_key_stores().total
        pages = [self.kms.list_key_stores(limit=1, offset=offset).keystores for offset in range(total + 1)]
        self.assertEqual([len(page) for page in pages], [1] * total + [0])
        self.assertLessEqual(made, {keystore.keystore_id for page in pages for keystore in page})

    def test_a_key_lives_in_its_keystore_and_keeps_it(self):
        keystore_id = self.keystore()
        self.kms.enable_key_store(keystore_id=keystore_id)
        key_id = self.key(keystore_id=keystore_id)
        self.assertEqual(self.details(key_id).keystore_id, keystore_id)
        with self.refused(400, "KMS.0338"):
            self.kms.enable_key_rotation(key_id=key_id)
