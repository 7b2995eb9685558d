"""Rotation of secrets. There is no database here, so that only what the service keeps of it is seen."""

import json

from scenario import Scenario, eventually

FUNCTION = "urn:fss:cn-north-4:project:function:default:rotate:latest"
SINGLE_USER = json.dumps({"InstanceId": "instance", "SecretSubType": "SingleUser"})


MULTI_USER = SINGLE_USER.replace("SingleUser", "MultiUser")


class SecretRotation(Scenario):
    def database_secret(self, **parameters):
        parameters.setdefault("rotation_config", SINGLE_USER)
        return self.secret(
            '{"name":"root","password":"old"}', secret_type="RDS-FG", rotation_func_urn=FUNCTION, **parameters
        )

    def rotate(self, name):
        """The task of a rotation, once that has ended."""
        task_id = self.csms.rotate_secret(secret_name=name).rotation_task_id

        def ended():
            [task] = self.csms.list_secret_task(task_id=task_id).tasks
            return task.task_status in ("SUCCESS", "FAILED") and task

        task = eventually(ended)
        self.assertEqual((task.task_id, task.secret_name), (task_id, name))
        return task

    def test_a_rotation_is_a_task_that_ends_in_a_new_version(self):
        secret = self.database_secret()
        self.assertEqual((secret.secret_type, secret.rotation_func_urn), ("RDS-FG", FUNCTION))
        self.assertEqual(json.loads(secret.rotation_config), json.loads(SINGLE_USER))
        task = self.rotate(secret.name)
        self.assertEqual((task.task_status, task.operate_type), ("SUCCESS", "SINGLE_USER"))
        self.assertEqual(task.rotation_func_urn, FUNCTION)
        self.assertRecent(task.task_time)
        self.assertRecent(self.csms.show_secret(secret_name=secret.name).secret.rotation_time)
        current = self.csms.show_secret_stage(secret_name=secret.name, stage_name="SYSCURRENT").stage
        self.assertEqual(current.version_id, "v2")
        self.assertNotEqual(self.value(secret.name), self.value(secret.name, "v1"))

    def test_tasks_are_listed_by_secret_and_page(self):
        name = self.database_secret().name
        tasks = {self.rotate(name).task_id for _ in range(3)}
        page = self.csms.list_secret_task(secret_name=name, limit=2)
        self.assertEqual((len(page.tasks), page.total), (2, 3))
        rest = self.csms.list_secret_task(secret_name=name, limit=2, marker=page.next_marker)
        self.assertEqual({task.task_id for task in page.tasks + rest.tasks}, tasks)
        self.assertEqual(self.csms.list_secret_task(secret_name=name, status="FAILED").tasks, [])

    def test_a_period_sets_the_time_of_the_next_rotation(self):
        secret = self.database_secret(auto_rotation=True, rotation_period="12h")
        self.assertEqual((secret.auto_rotation, secret.rotation_period), (True, "12h"))
        self.assertRecent(secret.next_rotation_time - 12 * 60 * 60 * 1000)
        off = self.csms.update_secret(secret_name=secret.name, auto_rotation=False).secret
        self.assertEqual((off.auto_rotation, off.next_rotation_time), (False, None))

    def test_two_accounts_take_turns(self):
        name = self.database_secret(rotation_config=MULTI_USER).name
        task = self.rotate(name)
        self.assertEqual((task.task_status, task.operate_type), ("SUCCESS", "MULTI_USER"))
        stages = {stage: self.csms.show_secret_stage(secret_name=name, stage_name=stage).stage.version_id
                  for stage in ("SYSCURRENT", "SYSPREVIOUS")}
        self.assertEqual(stages, {"SYSCURRENT": "v2", "SYSPREVIOUS": "v1"})

    def test_a_rotation_fails_without_the_key_of_the_secret(self):
        key_id = self.key()
        name = self.database_secret(kms_key_id=key_id).name
        self.kms.disable_key(key_id=key_id)
        task = self.rotate(name)
        self.assertEqual((task.task_status, task.task_error_code), ("FAILED", "CSMS.0401"))
        self.assertTrue(task.task_error_msg)
        self.kms.enable_key(key_id=key_id)
        self.assertIn("old", self.value(name))

    def test_a_common_secret_is_not_rotated(self):
        with self.refused(400, "CSMS.0003"):
            self.csms.rotate_secret(secret_name=self.secret().name)

    def test_the_agency_is_there_once_it_is_made(self):
        agencies = self.csms.create_agency(secret_type="RDS-FG").agencies
        self.assertTrue(agencies)
        for agency in agencies:
            self.assertTrue(agency.agency_name and agency.agency_id)
            self.assertFalse(agency.error_msg)
        self.assertEqual(self.csms.show_agency(secret_type="RDS-FG").agency_granted, "true")

    def test_templates_come_as_source_text(self):
        for engine in ("mysql", "postgresql"):
            template = self.csms.show_secret_function_templates(
                secret_type="RDS-FG", secret_sub_type="SingleUser", engine=engine
            ).function_templates
            self.assertGreater(len(template), 10)
        with self.refused(400, "CSMS.0002"):
            self.csms.show_secret_function_templates(secret_type="RDS-FG", secret_sub_type="SingleUser")
