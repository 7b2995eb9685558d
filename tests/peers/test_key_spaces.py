"""Key spaces: access points, key policies, and data keys in capsules."""

import base64
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from scenario import Scenario

ECS, CUSTOM = 1, 3

ENABLED = 1


class KeySpaces(Scenario):
    def key_space(self):
        """The id of a new key space. The SDK has no operation that makes one, so it goes by the SDK's core."""
        answer = self.kms.client.do_http_request(
            method="POST",
            resource_path="/v1.0/{project_id}/kms/key-spaces",
            body={"keyspace_name": self.fresh("space")},
            response_type="CreateAccessPointResponse",
        )
        return json.loads(answer.raw_content)["keyspace_id"]

    def access_point(self, space, **parameters):
        parameters.setdefault("access_point_name", self.fresh("point"))
        parameters.setdefault("type", CUSTOM)
        return self.kms.create_access_point(keyspace_id=space, **parameters).access_point_id

    def private_key(self, point):
        """The private key of an access point, which it signs its proofs with."""
        answer = self.kms.download_access_point_private_key(access_point_id=point)
        self.assertEqual(answer.access_point_id, point)
        return serialization.load_der_private_key(base64.b64decode(answer.private_key), None)

    def policy(self, space, point):
        allowed = {"version": "1.0", "allowed_access_point": [point]}
        return self.kms.create_key_policy(
            keyspace_id=space, policy_name=self.fresh("policy"), policy=json.dumps(allowed)
        ).policy_id

    def proof(self, private_key, capsule):
        """What proves to be an access point: its signature of the capsule and of the expiry, of which there is none."""
        signature = private_key.sign(f"{capsule}\n".encode(), ec.ECDSA(hashes.SHA256()))
        return {"custom_signature": base64.b64encode(signature).decode()}


class AccessPoints(KeySpaces):
    def listed(self, space):
        return {point.access_point_id: point for point in self.kms.list_access_point(keyspace_id=space).access_points}

    def test_an_access_point_is_made_switched_and_deleted(self):
        space, name = self.key_space(), self.fresh("point")
        made = self.kms.create_access_point(keyspace_id=space, access_point_name=name, type=ECS, identity="instance")
        self.assertEqual(made.status_code, 201)
        point = self.listed(space)[made.access_point_id]
        self.assertEqual((point.access_point_name, point.keyspace_id), (name, space))
        self.assertEqual((point.type, point.state), (ECS, ENABLED))
        self.assertTrue(point.created_by and point.create_time)

        self.assertEqual(self.kms.disable_access_point(access_point_id=made.access_point_id).status_code, 204)
        self.assertNotEqual(self.listed(space)[made.access_point_id].state, ENABLED)
        self.assertEqual(self.kms.enable_access_point(access_point_id=made.access_point_id).status_code, 204)
        self.assertEqual(self.listed(space)[made.access_point_id].state, ENABLED)
        self.assertEqual(self.kms.delete_access_point(access_point_id=made.access_point_id).status_code, 204)
        self.assertEqual(self.listed(space), {})

    def test_access_points_are_listed_page_by_page(self):
        space = self.key_space()
        made = [self.access_point(space) for _ in range(3)]
        listed, marker = [], None
        while True:
            page = self.kms.list_access_point(keyspace_id=space, limit="2", marker=marker)
            self.assertEqual(page.page_info.current_count, len(page.access_points))
            listed += [point.access_point_id for point in page.access_points]
            marker = page.page_info.next_marker
            if not marker:
                break
        self.assertCountEqual(listed, made)


class KeyPolicies(KeySpaces):
    def test_a_policy_is_made_changed_and_deleted(self):
        space = self.key_space()
        first, second = self.access_point(space), self.access_point(space)
        name = self.fresh("policy")
        validity = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2036-01-01T00:00:00Z"}
        content = {
            "version": "1.0",
            "allowed_access_point": [first],
            "allowed_data_security_zone": ["zone"],
            "validity_period": validity,
        }
        made = self.kms.create_key_policy(
            keyspace_id=space, policy_name=name, policy=json.dumps(content), description="of the scenario"
        )
        self.assertEqual(made.status_code, 201)
        shown = self.kms.show_key_policy(policy_id=made.policy_id)
        self.assertEqual((shown.policy_name, shown.keyspace_id, shown.description), (name, space, "of the scenario"))
        self.assertEqual(shown.policy.allowed_access_point, [first])
        self.assertEqual(shown.policy.allowed_data_security_zone, ["zone"])
        self.assertEqual(shown.policy.validity_period.to_dict(), validity)

        [listed] = self.kms.list_key_policy(keyspace_id=space).keyspace_policies
        self.assertEqual((listed.policy_id, listed.policy_name), (made.policy_id, name))
        self.assertEqual(listed.policy.allowed_access_point, [first])

        content["allowed_access_point"] = [second]
        changed = self.kms.update_key_policy(policy_id=made.policy_id, policy=json.dumps(content), description="other")
        self.assertEqual((changed.policy_id, changed.description), (made.policy_id, "other"))
        self.assertEqual(changed.policy.allowed_access_point, [second])

        self.assertEqual(self.kms.delete_key_policy(policy_id=made.policy_id).status_code, 204)
        self.assertEqual(self.kms.list_key_policy(keyspace_id=space).keyspace_policies, [])


class Capsules(KeySpaces):
    def test_an_access_point_that_the_policy_names_opens_the_capsule(self):
        space, key_id = self.key_space(), self.key()
        point, stranger = self.access_point(space), self.access_point(space)
        made = self.kms.create_datakey_capsule(
            key_id=key_id, datakey_length="AES_256", policy_id=self.policy(space, point)
        )
        self.assertEqual((made.key_id, len(bytes.fromhex(made.datakey))), (key_id, 32))

        def open_as(who):
            return self.kms.decrypt_datakey_capsule(
                key_id=key_id,
                datakey_capsule=made.datakey_capsule,
                attestation_document=self.proof(self.private_key(who), made.datakey_capsule),
            )

        opened = open_as(point)
        self.assertEqual((opened.key_id, opened.instance_id, opened.datakey), (key_id, point, made.datakey))
        with self.refused(403, "KMS.0306"):
            open_as(stranger)
        self.kms.disable_access_point(access_point_id=point)
        with self.refused(403, "KMS.0306"):
            open_as(point)

    def test_the_data_key_comes_encrypted_for_a_public_key(self):
        space, key_id = self.key_space(), self.key()
        point = self.access_point(space)
        ours = rsa.generate_private_key(65537, 2048)
        public_key = base64.b64encode(ours.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )).decode()
        made = self.kms.create_datakey_capsule(
            key_id=key_id, datakey_length="AES_256", policy_id=self.policy(space, point), public_key=public_key
        )
        opened = self.kms.decrypt_datakey_capsule(
            key_id=key_id,
            datakey_capsule=made.datakey_capsule,
            attestation_document=self.proof(self.private_key(point), made.datakey_capsule),
            public_key=public_key,
        )
        self.assertEqual((made.datakey, opened.datakey), (None, None))
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None)
        first, second = (
            ours.decrypt(base64.b64decode(answer.datakey_cipher), oaep) for answer in (made, opened)
        )
        self.assertEqual((first, len(first)), (second, 32))
