"""Faults on request, as the SDK reports them and tries again."""

from huaweicloudsdkcore.exceptions.exceptions import ServerResponseException
from huaweicloudsdkcore.retry.backoff_strategy import NoBackoffStrategy

from scenario import Scenario, control


class Faults(Scenario):
    def faults(self, *rules):
        control("PUT", "faults", list(rules))
        self.addCleanup(control, "DELETE", "faults")

    def test_the_sdk_tries_again_where_it_is_told_to(self):
        name = self.secret().name
        self.faults({"operation": "ShowSecret", "status": 503, "code": "KMS.0104", "times": 2})
        with self.refused(503, "KMS.0104"):
            self.csms.show_secret(secret_name=name)
        invoker = self.csms.client.show_secret_invoker(self.csms.request("show_secret", {"secret_name": name}))
        invoker.with_retry(
            max_retries=2,
            retry_condition=lambda answer, error: isinstance(error, ServerResponseException),
            backoff_strategy=NoBackoffStrategy(),
        )
        self.assertEqual(invoker.invoke().secret.name, name)

    def test_throttled_requests_are_told_so(self):
        key_id = self.key()
        self.faults({"operation": "kms/*", "status": 429, "times": 1})
        with self.refused(429, "APIGW.0308"):
            self.details(key_id)
        self.assertEqual(self.details(key_id).key_id, key_id)
