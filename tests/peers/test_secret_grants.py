"""Grants of secrets to users and groups."""

from scenario import Scenario, DAY, milliseconds


class SecretGrants(Scenario):
    def grant(self, secret, user, **parameters):
        return self.csms.create_grants(
            type="SECRET", resource_id=secret.id, grantee_type="0", grantee_target_id=user, **parameters
        ).data

    def grantees(self, secret):
        data = self.csms.list_grants(resource_id=secret.id).data
        return [user.user_id for user in (data.grantee_user or [])] if data else []

    def test_a_secret_is_granted_and_the_grant_taken_back(self):
        secret, user = self.secret(), self.fresh("user")
        made = self.grant(secret, user)
        self.assertEqual((made.resource_id, made.grantee_user, made.type), (secret.id, user, "SECRET"))
        self.assertTrue(made.uuid)
        self.assertRecent(made.create_time)
        listed = self.csms.list_grants(resource_id=secret.id).data
        self.assertEqual([grantee.user_id for grantee in listed.grantee_user], [user])
        self.assertRecent(listed.grantee_user[0].create_time)

        taken = self.csms.delete_grant(resource_id=secret.id, grantee_user=user)
        self.assertEqual(taken.status_code, 204)
        self.assertEqual(self.grantees(secret), [])

    def test_a_grant_is_changed_for_its_user_alone(self):
        secret, first, second = self.secret(), self.fresh("user"), self.fresh("user")
        made = self.grant(secret, first)
        self.grant(secret, second)
        self.assertCountEqual(self.grantees(secret), [first, second])
        until = milliseconds() // 1000 * 1000 + DAY
        changed = self.csms.update_grant(
            resource_id=secret.id,
            type="SECRET",
            grantee_type="0",
            grantee_target_id=first,
            validity_time=str(until),
        ).data
        self.assertEqual((changed.uuid, changed.validity_time), (made.uuid, until))
        grantees = self.csms.list_grants(resource_id=secret.id).data.grantee_user
        self.assertEqual({user.user_id: user.validity_time for user in grantees}, {first: until, second: None})
        self.csms.delete_grant(resource_id=secret.id, grantee_user=first)
        self.assertEqual(self.grantees(secret), [second])
