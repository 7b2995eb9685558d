"""Encryption of small data."""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from scenario import Scenario


class Data(Scenario):
    def encrypt(self, key_id, text, **parameters):
        answer = self.kms.encrypt_data(key_id=key_id, plain_text=text, **parameters)
        self.assertEqual(answer.key_id, key_id)
        return answer.cipher_text

    def test_data_comes_back(self):
        for spec in ("AES_256", "SM4"):
            key_id = self.key(key_spec=spec)
            for text in ("x", "☂ of some length " * 100):
                encrypted = self.encrypt(key_id, text)
                self.assertNotEqual(encrypted, self.encrypt(key_id, text))
                answer = self.kms.decrypt_data(cipher_text=encrypted)
                self.assertEqual((answer.key_id, answer.plain_text), (key_id, text))
                self.assertEqual(base64.b64decode(answer.plain_text_base64).decode(), text)

    def test_a_ciphertext_is_in_the_envelope_of_the_service(self):
        key_id = self.key()
        blob = base64.b64decode(self.encrypt(key_id, "four"))
        length = int.from_bytes(blob[2:4], "little")
        self.assertEqual((len(blob), blob[:2]), (140, b"\x02\x00"))
        self.assertEqual(blob[length - 36:length].decode(), key_id)
        self.assertEqual(blob[length:], bytes(4) + hashlib.sha256(blob[:length + 4]).digest())

    def test_additional_data_has_to_be_repeated(self):
        encrypted = self.encrypt(self.key(), "bound", additional_authenticated_data="to this")
        answer = self.kms.decrypt_data(cipher_text=encrypted, additional_authenticated_data="to this")
        self.assertEqual(answer.plain_text, "bound")
        for other in ({}, {"additional_authenticated_data": "to that"}):
            with self.refused(400, "KMS.2201"):
                self.kms.decrypt_data(cipher_text=encrypted, **other)

    def test_an_altered_ciphertext_is_refused(self):
        blob = bytearray(base64.b64decode(self.encrypt(self.key(), "x")))
        blob[20] ^= 1
        with self.refused(400, "KMS.2201"):
            self.kms.decrypt_data(cipher_text=base64.b64encode(blob).decode())

    def test_a_public_key_encrypts_for_its_private_key(self):
        key_id = self.key(key_spec="RSA_2048", key_usage="ENCRYPT_DECRYPT")
        algorithm = {"key_id": key_id, "encryption_algorithm": "RSAES_OAEP_SHA_256"}
        encrypted = self.kms.encrypt_data(plain_text="small", **algorithm).cipher_text
        self.assertEqual(self.kms.decrypt_data(cipher_text=encrypted, **algorithm).plain_text, "small")

        public_key = serialization.load_pem_public_key(self.kms.show_public_key(key_id=key_id).public_key.encode())
        ours = public_key.encrypt(b"ours", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None))
        answer = self.kms.decrypt_data(cipher_text=base64.b64encode(ours).decode(), **algorithm)
        self.assertEqual(answer.plain_text, "ours")
        with self.refused(400, "KMS.2108"):
            self.kms.encrypt_data(plain_text="x" * 191, **algorithm)

    def test_a_key_that_signs_does_not_encrypt(self):
        with self.refused(400, "KMS.0335"):
            self.kms.encrypt_data(
                key_id=self.key(key_spec="RSA_2048"), plain_text="x", encryption_algorithm="RSAES_OAEP_SHA_256"
            )

    def test_a_ciphertext_is_moved_to_another_key(self):
        first, second = self.key(), self.key()
        encrypted = self.encrypt(first, "moved", additional_authenticated_data="before")
        answer = self.kms.re_encrypt(
            cipher_text=encrypted,
            source_key_id=first,
            source_additional_authenticated_data="before",
            destination_key_id=second,
            destination_additional_authenticated_data="after",
        )
        self.assertEqual((answer.source_key_id, answer.key_id), (first, second))
        self.assertEqual(answer.source_encryption_algorithm, "SYMMETRIC_DEFAULT")
        self.assertEqual(answer.destination_encryption_algorithm, "SYMMETRIC_DEFAULT")
        moved = self.kms.decrypt_data(cipher_text=answer.cipher_text, additional_authenticated_data="after")
        self.assertEqual((moved.key_id, moved.plain_text), (second, "moved"))
