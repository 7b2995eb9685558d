"""Key agreement with another implementation."""

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scenario import Scenario


class Agreement(Scenario):
    def test_both_sides_come_to_the_same_secret(self):
        for spec, curve in (("EC_P256", ec.SECP256R1()), ("EC_P384", ec.SECP384R1()), ("SECP256K1", ec.SECP256K1())):
            key_id = self.key(key_spec=spec, key_usage="KEY_AGREEMENT")
            ours = ec.generate_private_key(curve)
            encoded = ours.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            answer = self.kms.derive_shared_secret(
                key_id=key_id, key_agreement_algorithm="ECDH", public_key=base64.b64encode(encoded).decode()
            )
            self.assertEqual((answer.key_id, answer.key_agreement_algorithm), (key_id, "ECDH"))
            theirs = serialization.load_pem_public_key(self.kms.show_public_key(key_id=key_id).public_key.encode())
            self.assertEqual(base64.b64decode(answer.shared_secret), ours.exchange(ec.ECDH(), theirs))

    def test_a_key_that_signs_does_not_agree(self):
        encoded = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        with self.refused(400, "KMS.0335"):
            self.kms.derive_shared_secret(
                key_id=self.key(key_spec="EC_P256"),
                key_agreement_algorithm="ECDH",
                public_key=base64.b64encode(encoded).decode(),
            )
