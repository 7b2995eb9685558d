"""Import of key material, wrapped by an implementation of its own."""

import base64
import hmac
import os

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

from scenario import DAY, Scenario, milliseconds

ENABLED, PENDING_IMPORT = "2", "5"

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None)


class Import(Scenario):
    def parameters(self, key_id):
        """What an import needs: the token, and how to wrap."""
        answer = self.kms.create_parameters_for_import(key_id=key_id, wrapping_algorithm="RSAES_OAEP_SHA_256")
        public_key = serialization.load_der_public_key(base64.b64decode(answer.public_key))

        def wrap(secret):
            return base64.b64encode(public_key.encrypt(secret, OAEP)).decode()

        return answer, wrap

    def bring(self, key_id, material, **parameters):
        """Imports material into a key."""
        answer, wrap = self.parameters(key_id)
        return self.kms.import_key_material(
            key_id=key_id, import_token=answer.import_token, encrypted_key_material=wrap(material), **parameters
        )

    def test_a_key_works_once_its_material_is_there(self):
        key_id = self.key(origin="external")
        key = self.details(key_id)
        self.assertEqual((key.key_state, key.origin), (PENDING_IMPORT, "external"))
        answer, _ = self.parameters(key_id)
        self.assertEqual(answer.key_id, key_id)
        # Seconds here, as an exception.
        self.assertRecent(answer.expiration_time * 1000 - DAY)

        expires = (milliseconds() + DAY) // 1000
        self.bring(key_id, os.urandom(32), expiration_time=expires)
        key = self.details(key_id)
        self.assertEqual((key.key_state, key.expiration_time), (ENABLED, str(expires * 1000)))
        encrypted = self.kms.encrypt_data(key_id=key_id, plain_text="by my own key").cipher_text
        self.assertEqual(self.kms.decrypt_data(cipher_text=encrypted).plain_text, "by my own key")

    def test_deleted_material_comes_back_only_as_it_was(self):
        key_id, material = self.key(origin="external"), os.urandom(32)
        self.bring(key_id, material)
        encrypted = self.kms.encrypt_data(key_id=key_id, plain_text="kept").cipher_text
        self.kms.delete_imported_key_material(key_id=key_id)
        self.assertEqual(self.details(key_id).key_state, PENDING_IMPORT)
        with self.refused(400, "KMS.2606"):
            self.bring(key_id, os.urandom(32))
        self.bring(key_id, material)
        self.assertEqual(self.kms.decrypt_data(cipher_text=encrypted).plain_text, "kept")

    def test_a_token_is_of_one_key(self):
        first, second = self.key(origin="external"), self.key(origin="external")
        answer, wrap = self.parameters(first)
        with self.refused(400, "KMS.2603"):
            self.kms.import_key_material(
                key_id=second, import_token=answer.import_token, encrypted_key_material=wrap(os.urandom(32))
            )
        self.assertEqual(self.details(second).key_state, PENDING_IMPORT)

    def test_a_private_key_is_imported_and_signs(self):
        private_key, temporary = ec.generate_private_key(ec.SECP256R1()), os.urandom(32)
        encoded = private_key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        wrapped = base64.b64encode(aes_key_wrap_with_padding(temporary, encoded)).decode()
        key_id = self.key(origin="external", key_spec="EC_P256")
        self.bring(key_id, temporary, encrypted_privatekey=wrapped)
        message = b"signed by the key that was brought"
        signature = self.kms.sign(
            key_id=key_id,
            message=base64.b64encode(message).decode(),
            message_type="RAW",
            signing_algorithm="ECDSA_SHA_256",
        ).signature
        private_key.public_key().verify(base64.b64decode(signature), message, ec.ECDSA(hashes.SHA256()))
        with self.refused(400, "KMS.2702"):
            self.kms.delete_imported_key_material(key_id=key_id)

    def test_new_material_takes_over_on_demand(self):
        key_id = self.key(origin="external")
        self.bring(key_id, os.urandom(32))
        before = self.kms.encrypt_data(key_id=key_id, plain_text="before").cipher_text
        with self.refused(400, "KMS.0310"):
            self.kms.rotate_on_demand(key_id=key_id)
        self.bring(key_id, os.urandom(32))
        self.assertEqual(self.kms.rotate_on_demand(key_id=key_id).key_id, key_id)
        after = self.kms.encrypt_data(key_id=key_id, plain_text="after").cipher_text
        texts = [self.kms.decrypt_data(cipher_text=cipher_text).plain_text for cipher_text in (before, after)]
        self.assertEqual(texts, ["before", "after"])

    def test_a_secret_key_is_imported_and_vouches(self):
        secret, message = os.urandom(32), b"vouched for by the key that was brought"
        key_id = self.key(origin="external", key_spec="HMAC_256")
        self.bring(key_id, secret)
        made = self.kms.generate_mac(
            key_id=key_id, mac_algorithm="HMAC_SHA_256", message=base64.b64encode(message).decode()
        )
        self.assertEqual(made.mac.lower(), hmac.digest(secret, message, "sha256").hex())

    def test_a_key_of_the_service_takes_no_material(self):
        with self.refused(400, "KMS.0309"):
            self.parameters(self.key())
