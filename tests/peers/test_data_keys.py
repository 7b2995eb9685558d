"""Data keys, pairs of them, and random bytes."""

import base64
import hashlib
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from scenario import Scenario


class DataKeys(Scenario):
    def decrypt(self, key_id, cipher_text, length, **parameters):
        """A data key from its ciphertext, in hexadecimal."""
        answer = self.kms.decrypt_datakey(
            key_id=key_id, cipher_text=cipher_text, datakey_cipher_length=str(length), **parameters
        )
        self.assertEqual(answer.datakey_length, str(length))
        digest = hashlib.sha256(bytes.fromhex(answer.data_key)).hexdigest()
        self.assertEqual(answer.datakey_dgst.lower(), digest)
        return answer.data_key.lower()

    def test_a_data_key_comes_with_its_ciphertext(self):
        key_id = self.key()
        for bits, size in ((256, 156), (512, 188)):
            made = self.kms.create_datakey(key_id=key_id, datakey_length=str(bits))
            self.assertEqual(made.key_id, key_id)
            self.assertEqual((len(made.plain_text), len(made.cipher_text)), (bits // 4, 2 * size))
            self.assertEqual(self.decrypt(key_id, made.cipher_text, bits // 8), made.plain_text.lower())

    def test_a_data_key_has_the_length_of_its_kind(self):
        key_id = self.key()
        for parameters, bits in (
            ({}, 256),
            ({"key_spec": "AES_256"}, 256),
            ({"key_spec": "AES_128"}, 128),
            ({"key_spec": "AES_128", "datakey_length": "512"}, 512),
        ):
            self.assertEqual(len(self.kms.create_datakey(key_id=key_id, **parameters).plain_text), bits // 4)
        with self.refused(400, "KMS.1901"):
            self.kms.create_datakey(key_id=key_id, datakey_length="8200")

    def test_a_data_key_can_be_made_unseen(self):
        key_id = self.key()
        made = self.kms.create_datakey_without_plaintext(key_id=key_id, datakey_length="256")
        self.assertEqual(made.key_id, key_id)
        self.assertEqual(len(self.decrypt(key_id, made.cipher_text, 32)), 64)

    def test_additional_data_has_to_be_repeated(self):
        key_id, aad = self.key(), {"additional_authenticated_data": "bound"}
        made = self.kms.create_datakey(key_id=key_id, **aad)
        self.assertEqual(self.decrypt(key_id, made.cipher_text, 32, **aad), made.plain_text.lower())
        with self.refused(400, "KMS.2201"):
            self.decrypt(key_id, made.cipher_text, 32)

    def test_a_data_key_of_one_s_own_is_encrypted(self):
        key_id, own = self.key(), os.urandom(64)
        proven = own.hex() + hashlib.sha256(own).hexdigest()
        answer = self.kms.encrypt_datakey(key_id=key_id, plain_text=proven, datakey_plain_length="64")
        self.assertEqual((answer.key_id, answer.datakey_length), (key_id, "64"))
        self.assertEqual(self.decrypt(key_id, answer.cipher_text, 64), own.hex())
        with self.refused(400, "KMS.2103"):
            wrong = own.hex() + hashlib.sha256(b"other").hexdigest()
            self.kms.encrypt_datakey(key_id=key_id, plain_text=wrong, datakey_plain_length="64")
        with self.refused(400, "KMS.2104"):
            self.kms.encrypt_datakey(key_id=key_id, plain_text=proven, datakey_plain_length="32")

    def private_key(self, key_id, made):
        """The private key of a pair, which has to be that of its public key."""
        self.assertEqual(made.key_id, key_id)
        private_key = serialization.load_der_private_key(base64.b64decode(made.private_key_plain_text), None)
        public_key = serialization.load_der_public_key(base64.b64decode(made.public_key))
        self.assertEqual(private_key.public_key().public_numbers(), public_key.public_numbers())
        cipher_text = base64.b64encode(bytes.fromhex(made.private_key_cipher_text)).decode()
        decrypted = self.kms.decrypt_data(cipher_text=cipher_text)
        self.assertEqual(decrypted.plain_text_base64, made.private_key_plain_text)
        return private_key

    def test_rsa_pairs_are_made_for_use_elsewhere(self):
        key_id = self.key()
        made = self.kms.create_rsa_datakey_pair(key_id=key_id, key_spec="RSA_2048")
        self.assertEqual(made.key_spec, "RSA_2048")
        private_key = self.private_key(key_id, made)
        self.assertIsInstance(private_key, rsa.RSAPrivateKey)
        self.assertEqual(private_key.key_size, 2048)
        unseen = self.kms.create_rsa_datakey_pair(key_id=key_id, key_spec="RSA_2048", with_plain_text=False)
        self.assertFalse(unseen.private_key_plain_text)
        self.assertTrue(unseen.private_key_cipher_text)

    def test_ec_pairs_are_made_for_use_elsewhere(self):
        key_id = self.key()
        for spec, curve in (
            ("ECC_NIST_P256", ec.SECP256R1),
            ("ECC_NIST_P384", ec.SECP384R1),
            ("ECC_NIST_P521", ec.SECP521R1),
            ("ECC_SECG_P256K1", ec.SECP256K1),
        ):
            made = self.kms.create_ec_datakey_pair(key_id=key_id, key_spec=spec)
            self.assertEqual(made.key_spec, spec)
            self.assertIsInstance(self.private_key(key_id, made).curve, curve)

    def test_random_bytes_are_random(self):
        first, second = (self.kms.create_random(random_data_length="512").random_data for _ in range(2))
        self.assertEqual((len(bytes.fromhex(first)), len(bytes.fromhex(second))), (64, 64))
        self.assertNotEqual(first, second)
        self.assertEqual(len(self.kms.create_random(random_data_length="8").random_data), 2)
        with self.refused(400, "KMS.1802"):
            self.kms.create_random(random_data_length="12")

    def test_a_pin_is_made(self):
        plain = self.kms.create_pin(pin_type="PlainText").pin
        self.assertTrue(plain)
        self.assertNotEqual(plain, self.kms.create_pin(pin_type="PlainText").pin)
        self.assertTrue(self.kms.create_pin(keystore_id="1").pin)
