"""Grants of keys."""

from scenario import Scenario


class KeyGrants(Scenario):
    def grant(self, key_id, **parameters):
        parameters.setdefault("operations", ["encrypt-data", "decrypt-data"])
        parameters.setdefault("grantee_principal", "13gg44z4g2sglzk0egw0u726zoyzvrs8")
        return self.kms.create_grant(key_id=key_id, **parameters).grant_id

    def grants(self, key_id):
        return [grant.grant_id for grant in self.kms.list_grants(key_id=key_id).grants]

    def me(self):
        [user] = self.csms.list_users(offset=0, limit=10, user_info="developer").users
        return user.user_id

    def test_a_grant_is_made_listed_and_revoked(self):
        key_id, grantee = self.key(), "13gg44z4g2sglzk0egw0u726zoyzvrs8"
        made = self.grant(key_id, name="scenario", operations=["create-datakey", "create-grant"])
        self.assertRegex(made, "^[0-9a-f]{64}$")
        answer = self.kms.list_grants(key_id=key_id)
        self.assertEqual((answer.total, answer.truncated, answer.next_marker), (1, "false", ""))
        [grant] = answer.grants
        self.assertEqual((grant.grant_id, grant.key_id, grant.name), (made, key_id, "scenario"))
        self.assertEqual((grant.grantee_principal, grant.grantee_principal_type), (grantee, "user"))
        self.assertEqual(grant.operations, ["create-datakey", "create-grant"])
        self.assertEqual(grant.issuing_principal, self.me())
        self.assertRecent(grant.creation_date)

        self.kms.cancel_grant(key_id=key_id, grant_id=made)
        self.assertEqual(self.grants(key_id), [])

    def retirable(self):
        return {grant.grant_id: grant for grant in self.kms.list_retirable_grants(limit="1000").grants}

    def test_who_may_retire_a_grant_finds_and_retires_it(self):
        key_id = self.key()
        first, second = self.grant(key_id, retiring_principal=self.me()), self.grant(key_id)
        self.assertEqual(self.retirable()[first].retiring_principal, self.me())
        # It is their own, too.
        self.assertIn(second, self.retirable())
        self.kms.cancel_self_grant(key_id=key_id, grant_id=first)
        self.assertEqual(self.grants(key_id), [second])
        self.assertNotIn(first, self.retirable())

    def test_grants_are_listed_page_by_page(self):
        key_id = self.key()
        made = [self.grant(key_id) for _ in range(3)]
        listed, marker = [], None
        while True:
            page = self.kms.list_grants(key_id=key_id, limit="2", marker=marker)
            listed += [grant.grant_id for grant in page.grants]
            if page.truncated == "false":
                break
            marker = page.next_marker
        self.assertEqual((page.total, len(listed)), (3, 3))
        self.assertCountEqual(listed, made)

    def test_granting_alone_cannot_be_granted(self):
        with self.refused(400, "KMS.2401"):
            self.grant(self.key(), operations=["create-grant"])

    def test_a_grant_belongs_to_its_key(self):
        key_id = self.key()
        grant = self.grant(key_id)
        with self.refused(400, "KMS.2502"):
            self.kms.cancel_grant(key_id=self.key(), grant_id=grant)
        self.assertEqual(self.grants(key_id), [grant])
