"""Signatures, verified by another implementation."""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from scenario import Scenario

MESSAGE = "to be signed ☂".encode()

HASHES = {"SHA_256": hashes.SHA256(), "SHA_384": hashes.SHA384(), "SHA_512": hashes.SHA512()}


def text(content):
    return base64.b64encode(content).decode()


class Signatures(Scenario):
    def public_key(self, key_id):
        answer = self.kms.show_public_key(key_id=key_id)
        self.assertEqual(answer.key_id, key_id)
        self.assertIn("\r\n", answer.public_key)
        return serialization.load_pem_public_key(answer.public_key.encode())

    def sign(self, key_id, algorithm, message, **parameters):
        """A signature that the service itself accepts, and accepts for nothing else."""
        asked = {"key_id": key_id, "signing_algorithm": algorithm, **parameters}
        answer = self.kms.sign(message=text(message), **asked)
        self.assertEqual(answer.key_id, key_id)
        valid = self.kms.validate_signature(message=text(message), signature=answer.signature, **asked)
        self.assertEqual((valid.key_id, valid.signature_valid), (key_id, "true"))
        other = message[:-1] + bytes([message[-1] ^ 1])
        invalid = self.kms.validate_signature(message=text(other), signature=answer.signature, **asked)
        self.assertEqual(invalid.signature_valid, "false")
        return base64.b64decode(answer.signature)

    def test_rsa_signs_by_both_paddings_and_all_digests(self):
        key_id = self.key(key_spec="RSA_2048")
        public_key = self.public_key(key_id)
        for name, digest in HASHES.items():
            pss = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
            for algorithm, padded in ((f"RSASSA_PSS_{name}", pss), (f"RSASSA_PKCS1_V1_5_{name}", padding.PKCS1v15())):
                signature = self.sign(key_id, algorithm, MESSAGE, message_type="RAW")
                public_key.verify(signature, MESSAGE, padded, digest)

    def test_curves_sign_by_their_digest(self):
        for spec, name in (("EC_P256", "SHA_256"), ("EC_P384", "SHA_384"), ("SECP256K1", "SHA_256")):
            key_id = self.key(key_spec=spec)
            signature = self.sign(key_id, f"ECDSA_{name}", MESSAGE, message_type="RAW")
            self.public_key(key_id).verify(signature, MESSAGE, ec.ECDSA(HASHES[name]))

    def test_a_message_is_a_digest_unless_said_otherwise(self):
        key_id, digest = self.key(key_spec="EC_P256"), hashlib.sha256(MESSAGE).digest()
        signature = self.sign(key_id, "ECDSA_SHA_256", digest)
        self.public_key(key_id).verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        with self.refused(400, "KMS.0329"):
            self.kms.sign(key_id=key_id, signing_algorithm="ECDSA_SHA_256", message=text(MESSAGE))

    def test_edwards_curve_signs_the_message_itself(self):
        key_id = self.key(key_spec="ED25519")
        signature = self.sign(key_id, "ED25519_SHA_512", MESSAGE, message_type="RAW")
        self.public_key(key_id).verify(signature, MESSAGE)

    def test_sm2_signs_digests(self):
        key_id = self.key(key_spec="SM2")
        self.sign(key_id, "SM2DSA_SM3", bytes(range(32)))

    def test_a_key_signs_only_by_its_algorithms(self):
        with self.refused(400, "KMS.0332"):
            self.sign(self.key(key_spec="EC_P256"), "RSASSA_PSS_SHA_256", MESSAGE, message_type="RAW")
        with self.refused(400, "KMS.0331"):
            self.sign(self.key(), "ECDSA_SHA_256", MESSAGE, message_type="RAW")
