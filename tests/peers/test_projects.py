"""Accounts, projects and regions, as clients look them up before all else."""

from scenario import ELSEWHERE, HOME, Scenario, csms, iam


class Projects(Scenario):
    def test_a_region_has_one_project_of_its_name(self):
        for region in (HOME, ELSEWHERE):
            [project] = iam().keystone_list_projects(name=region).projects
            self.assertEqual((project.name, project.enabled, project.is_domain), (region, True, False))
            # The SDK has looked it up in the same way for its clients.
            self.assertEqual(csms(region).client.get_credentials().project_id, project.id)
        self.assertEqual(iam().keystone_list_projects(name="no-region-1").projects, [])

    def test_projects_are_listed_page_by_page(self):
        every = [project.id for project in iam().keystone_list_projects().projects]
        pages = [iam().keystone_list_projects(page=page, per_page=2).projects for page in (1, 2)]
        self.assertEqual([project.id for page in pages for project in page], every[:4])

    def test_projects_are_those_of_the_account(self):
        [domain] = iam().keystone_list_auth_domains().domains
        self.assertEqual((domain.name, domain.enabled), ("emulator", True))
        projects = iam().keystone_list_auth_projects().projects
        self.assertEqual({project.domain_id for project in projects}, {domain.id})
        self.assertLessEqual({HOME, ELSEWHERE}, {project.name for project in projects})

    def test_the_regions_are_listed(self):
        regions = {region.id: region for region in iam().keystone_list_regions().regions}
        self.assertLessEqual({HOME, ELSEWHERE}, set(regions))
        self.assertTrue(regions[HOME].locales.en_us and regions[HOME].locales.zh_cn)


class OtherRegions(Scenario):
    def test_a_secret_is_in_its_region_alone(self):
        secret = self.secret("here")
        with self.refused(404, "CSMS.0106"):
            csms(ELSEWHERE).show_secret(secret_name=secret.name)
        csms(ELSEWHERE).create_secret(name=secret.name, secret_string="there")
        there = csms(ELSEWHERE).show_secret_version(secret_name=secret.name, version_id="latest").version
        self.assertEqual((self.value(secret.name), there.secret_string), ("here", "there"))
