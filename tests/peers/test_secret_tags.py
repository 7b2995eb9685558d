"""Tags of secrets, which go by the id of the secret."""

from scenario import Scenario


class SecretTags(Scenario):
    def tags(self, secret_id):
        answer = self.csms.list_secret_tags(secret_id=secret_id)
        return {tag.key: tag.value for tag in answer.tags}

    def test_a_tag_is_added_replaced_and_deleted(self):
        secret = self.secret()
        for value in ("red", "blue"):
            added = self.csms.create_secret_tag(secret_id=secret.id, tag={"key": "colour of it", "value": value})
            self.assertEqual(added.status_code, 204)
            self.assertEqual(self.tags(secret.id), {"colour of it": value})
        deleted = self.csms.delete_secret_tag(secret_id=secret.id, key="colour of it")
        self.assertEqual(deleted.status_code, 204)
        self.assertEqual(self.tags(secret.id), {})

    def test_tags_are_added_and_deleted_together(self):
        secret = self.secret()
        tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}, {"key": "c"}]
        added = self.csms.batch_create_or_delete_tags(secret_id=secret.id, action="create", tags=tags)
        self.assertEqual(added.status_code, 204)
        values = {key: value or "" for key, value in self.tags(secret.id).items()}
        self.assertEqual(values, {"a": "1", "b": "2", "c": ""})
        self.csms.batch_create_or_delete_tags(secret_id=secret.id, action="delete", tags=[{"key": "a"}, {"key": "c"}])
        self.assertEqual(self.tags(secret.id), {"b": "2"})

    def test_all_tags_of_the_project_are_listed_with_their_values(self):
        key = self.fresh("team")
        for value in ("one", "two"):
            self.csms.create_secret_tag(secret_id=self.secret().id, tag={"key": key, "value": value})
        values = {tag.key: sorted(tag.values) for tag in self.csms.list_project_secrets_tags().tags}
        self.assertEqual(values[key], ["one", "two"])

    def test_secrets_are_found_by_their_tags(self):
        key, secrets = self.fresh("team"), {}
        for value in ("one", "two", "three"):
            secrets[value] = self.secret()
            self.csms.create_secret_tag(secret_id=secrets[value].id, tag={"key": key, "value": value})

        def found(action="filter", **parameters):
            return self.csms.list_resource_instances(
                resource_instances="resource_instances", action=action, **parameters
            )

        wanted = [{"key": key, "values": ["one", "two"]}]
        answer = found(tags=wanted, limit="10", offset="0")
        self.assertEqual(answer.total_count, 2)
        self.assertCountEqual([resource.resource_id for resource in answer.resources],
                              [secrets["one"].id, secrets["two"].id])
        resource = next(resource for resource in answer.resources if resource.resource_id == secrets["one"].id)
        self.assertEqual(resource.resource_name, secrets["one"].name)
        self.assertEqual(resource.resource_detail.name, secrets["one"].name)
        self.assertEqual([tag.to_dict() for tag in resource.tags], [{"key": key, "value": "one"}])

        pages = [found(tags=wanted, limit="1", offset=str(offset)).resources for offset in range(3)]
        self.assertEqual([len(page or []) for page in pages], [1, 1, 0])
        counted = found("count", tags=wanted)
        self.assertEqual((counted.total_count, counted.resources or []), (2, []))
        by_name = found(matches=[{"key": "resource_name", "value": secrets["three"].name}])
        self.assertEqual([resource.resource_id for resource in by_name.resources], [secrets["three"].id])

    def test_tags_of_no_secret_are_not_found(self):
        with self.refused(404, "CSMS.0005"):
            self.csms.list_secret_tags(secret_id="00000000-0000-0000-0000-000000000000")
