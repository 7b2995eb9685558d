"""Tokens of users and agencies."""

import base64
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from scenario import HOME, Scenario, iam

PROJECT = {"project": {"name": HOME}}


class Tokens(Scenario):
    def log_in(self, password="emulator-password", scope=None):
        user = {"name": "developer", "password": password, "domain": {"name": "emulator"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return iam().keystone_create_user_token_by_password(auth={"identity": identity, "scope": scope or PROJECT})

    def test_a_password_buys_a_token_for_a_project(self):
        answer = self.log_in()
        self.assertEqual(answer.status_code, 201)
        self.assertGreater(len(answer.x_subject_token), 100)
        token = answer.token
        self.assertEqual((token.methods, token.user.name), (["password"], "developer"))
        self.assertEqual((token.project.name, token.user.domain.name), (HOME, "emulator"))
        self.assertLess(token.issued_at, token.expires_at)
        self.assertIn("kms", [service.type for service in token.catalog])

    def test_a_password_buys_a_token_for_the_account(self):
        token = self.log_in(scope={"domain": {"name": "emulator"}}).token
        self.assertEqual((token.domain.name, token.project), ("emulator", None))

    def test_a_wrong_password_buys_nothing(self):
        with self.refused(401, 401):
            self.log_in(password="guessed")

    def test_a_token_is_validated(self):
        made = self.log_in()
        seen = iam().keystone_validate_token(x_subject_token=made.x_subject_token, nocatalog="true")
        self.assertEqual(seen.token.user.to_dict(), made.token.user.to_dict())
        self.assertEqual((seen.token.expires_at, seen.token.project.id), (made.token.expires_at, made.token.project.id))
        self.assertFalse(seen.token.catalog)
        with self.refused(404, 404):
            iam().keystone_validate_token(x_subject_token="made up")

    def test_a_device_s_code_is_needed_beside_the_password(self):
        [guarded] = self.csms.list_users(offset=0, limit=10, user_info="guarded").users
        code = TOTP(base64.b32decode("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), 6, hashes.SHA1(), 30)

        def log_in(passcode):
            user = {"name": "guarded", "password": "guarded-password", "domain": {"name": "emulator"}}
            totp = {"user": {"id": guarded.user_id, "passcode": passcode}}
            identity = {"methods": ["password", "totp"], "password": {"user": user}, "totp": totp}
            return iam().keystone_create_user_token_by_password_and_mfa(auth={"identity": identity, "scope": PROJECT})

        answer = log_in(code.generate(time.time()).decode())
        self.assertEqual((answer.token.methods, answer.token.user.id), (["password", "totp"], guarded.user_id))
        self.assertTrue(answer.x_subject_token)
        with self.refused(401, 401):
            log_in(code.generate(time.time() - 3600).decode())

    def test_an_agency_that_trusts_the_caller_gives_a_token(self):
        def assume(agency, scope=PROJECT):
            role = {"agency_name": agency, "domain_name": "emulator"}
            identity = {"methods": ["assume_role"], "assume_role": role}
            return iam().keystone_create_agency_token(auth={"identity": identity, "scope": scope})

        answer = assume("operations")
        self.assertEqual((answer.token.user.name, answer.token.methods), ("emulator/operations", ["assume_role"]))
        self.assertEqual(answer.token.assumed_by.user.name, "developer")
        self.assertEqual(answer.token.project.name, HOME)
        self.assertTrue(answer.x_subject_token)
        self.assertEqual(assume("operations", {"domain": {"name": "emulator"}}).token.domain.name, "emulator")
        with self.refused(403, 403):
            assume("pipelines")
        with self.refused(404, 404):
            assume("none")
