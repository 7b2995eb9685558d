"""Message authentication codes."""

import base64

from scenario import Scenario

MESSAGE = base64.b64encode("to be vouched for ☂".encode()).decode()


class Macs(Scenario):
    def test_every_kind_of_key_vouches_by_its_algorithm(self):
        for spec, algorithm, size in (
            ("HMAC_256", "HMAC_SHA_256", 32),
            ("HMAC_384", "HMAC_SHA_384", 48),
            ("HMAC_512", "HMAC_SHA_512", 64),
            ("HMAC_SM3", "HMAC_SM3", 32),
        ):
            asked = {"key_id": self.key(key_spec=spec), "mac_algorithm": algorithm, "message": MESSAGE}
            made = self.kms.generate_mac(**asked)
            self.assertEqual((made.key_id, made.mac_algorithm), (asked["key_id"], algorithm))
            self.assertEqual(len(bytes.fromhex(made.mac)), size)
            self.assertEqual(self.kms.generate_mac(**asked).mac, made.mac)
            valid = self.kms.verify_mac(mac=made.mac, **asked)
            self.assertEqual((valid.key_id, valid.mac_algorithm, valid.mac_valid), (asked["key_id"], algorithm, True))
            self.assertIs(self.kms.verify_mac(mac="00" * size, **asked).mac_valid, False)

    def test_the_algorithm_is_that_of_the_key(self):
        with self.refused(400, "KMS.0308"):
            self.kms.generate_mac(key_id=self.key(key_spec="HMAC_256"), mac_algorithm="HMAC_SHA_512", message=MESSAGE)

    def test_a_key_that_vouches_does_not_encrypt(self):
        with self.refused(400, "KMS.0341"):
            self.kms.encrypt_data(key_id=self.key(key_spec="HMAC_256"), plain_text="x")
