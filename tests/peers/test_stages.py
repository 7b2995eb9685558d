"""Stages, which mark the versions of a secret."""

from scenario import Scenario


class Stages(Scenario):
    def test_a_stage_is_made_moved_and_deleted(self):
        name = self.secret("one").name
        self.csms.create_secret_version(secret_name=name, secret_string="two")
        made = self.csms.update_secret_stage(secret_name=name, stage_name="blue", version_id="v1").stage
        self.assertEqual((made.name, made.secret_name, made.version_id), ("blue", name, "v1"))
        self.assertRecent(made.update_time)
        moved = self.csms.update_secret_stage(secret_name=name, stage_name="blue", version_id="v2").stage
        self.assertEqual(moved.version_id, "v2")
        shown = self.csms.show_secret_stage(secret_name=name, stage_name="blue").stage
        self.assertEqual(shown.to_dict(), moved.to_dict())
        marked = self.csms.show_secret_version(secret_name=name, version_id="v1").version.version_metadata
        self.assertEqual(marked.version_stages, ["SYSPREVIOUS"])

        deleted = self.csms.delete_secret_stage(secret_name=name, stage_name="blue")
        self.assertEqual(deleted.status_code, 204)
        with self.refused(404, "CSMS.0005"):
            self.csms.show_secret_stage(secret_name=name, stage_name="blue")

    def test_the_current_stage_leads_to_the_value(self):
        name = self.secret("one").name
        self.csms.create_secret_version(secret_name=name, secret_string="two", version_stages=["candidate"])
        self.csms.update_secret_stage(secret_name=name, stage_name="SYSCURRENT", version_id="v2")
        stage = self.csms.show_secret_stage(secret_name=name, stage_name="SYSCURRENT").stage
        self.assertEqual(stage.version_id, "v2")
        self.assertEqual(self.value(name), "two")

    def test_stages_of_the_system_stay(self):
        name = self.secret("one").name
        self.csms.create_secret_version(secret_name=name, secret_string="two")
        for stage in ("SYSCURRENT", "SYSPREVIOUS"):
            with self.refused(400, "CSMS.0105"):
                self.csms.delete_secret_stage(secret_name=name, stage_name=stage)

    def test_a_stage_marks_only_versions_that_exist(self):
        name = self.secret().name
        with self.refused(404, "CSMS.0005"):
            self.csms.update_secret_stage(secret_name=name, stage_name="blue", version_id="v9")

    def test_a_secret_has_twelve_stages_at_most(self):
        name = self.secret().name
        for number in range(11):
            self.csms.update_secret_stage(secret_name=name, stage_name=f"stage-{number}", version_id="v1")
        with self.refused(400, "CSMS.0203"):
            self.csms.update_secret_stage(secret_name=name, stage_name="one-more", version_id="v1")
