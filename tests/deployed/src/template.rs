//! The template as `CloudFormation` gets it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::python::Python;

/// A translated template. Names of functions are those of their folders.
#[derive(Clone, Debug)]
pub struct Template(Value);

impl Template {
    /// Translates `infra/template.yaml`.
    #[must_use]
    pub fn translated(python: &Python) -> Self {
        let done = python.run("template.py", &["translate"]);
        assert!(done.status.success(), "infra/template.yaml: {}", String::from_utf8_lossy(&done.stderr));
        Self(serde_json::from_slice(&done.stdout).expect("template.py prints JSON"))
    }

    /// The resource of this name, whole.
    #[must_use]
    pub fn resource(&self, name: &str) -> &Value {
        &self.0["Resources"][name]
    }

    /// Name and properties of the resources of a type.
    pub fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let all = self.0["Resources"].as_object().into_iter().flatten();
        all.filter(move |(_, it)| it["Type"] == kind).map(|(name, it)| (name.as_str(), &it["Properties"]))
    }

    /// The functions by name: the name of the resource and its properties.
    #[must_use]
    pub fn functions(&self) -> BTreeMap<&str, (&str, &Value)> {
        let all = self.resources("AWS::Lambda::Function");
        all.map(|(resource, function)| (named(&function["FunctionName"]), (resource, function))).collect()
    }

    /// Those of these functions that are not deployed.
    #[must_use]
    pub fn without<'a>(&self, workspace: &[&'a str]) -> Vec<&'a str> {
        let deployed = self.functions();
        workspace.iter().copied().filter(|name| !deployed.contains_key(name)).collect()
    }

    /// The paths of the API and the function of each.
    #[must_use]
    pub fn routes(&self) -> BTreeMap<String, String> {
        let names: BTreeMap<_, _> =
            self.functions().into_iter().map(|(name, (resource, _))| (resource, name)).collect();
        let mut routes = BTreeMap::new();
        for (_, api) in self.resources("AWS::ApiGatewayV2::Api") {
            for (path, methods) in api["Body"]["paths"].as_object().into_iter().flatten() {
                let any = &methods["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"];
                let uri = any["uri"]["Fn::Sub"].as_str().expect("a route takes every method and goes to a function");
                let (_, target) = uri.split_once("functions/${").expect("a route goes to a function");
                let (resource, _) = target.split_once(".Arn}").expect("a route goes to a function");
                routes.insert(path.clone(), names[resource].to_owned());
            }
        }
        routes
    }

    /// What the role of a function says: its own statements and those of the policies that are attached to it.
    #[must_use]
    pub fn statements(&self, function: &str) -> Vec<&Value> {
        let (_, properties) = self.functions()[function];
        let name = properties["Role"]["Fn::GetAtt"][0].as_str().expect("a role of the template");
        let role = &self.resource(name)["Properties"];
        let own = items(&role["Policies"]).map(|policy| &policy["PolicyDocument"]);
        let taken = items(&role["ManagedPolicyArns"]).map(|policy| {
            let policy = policy["Ref"].as_str().expect("a policy of the template");
            &self.resource(policy)["Properties"]["PolicyDocument"]
        });
        let given = self
            .resources("AWS::IAM::ManagedPolicy")
            .filter(|(_, policy)| items(&policy["Roles"]).any(|role| role["Ref"] == name))
            .map(|(_, policy)| &policy["PolicyDocument"]);
        own.chain(taken).chain(given).flat_map(|document| items(&document["Statement"])).collect()
    }

    /// The secrets that a function reads at its start.
    #[must_use]
    pub fn secrets(&self, function: &str) -> BTreeSet<String> {
        let (_, properties) = self.functions()[function];
        let listed = properties["Environment"]["Variables"]["NEXUS_SECRETS"]["Fn::Sub"].as_str().expect("secrets");
        listed.split(' ').map(|secret| self.secret(secret.trim_matches(['$', '{', '}']))).collect()
    }

    /// The secrets that the role of a function may read.
    #[must_use]
    pub fn readable_secrets(&self, function: &str) -> BTreeSet<String> {
        let statements = self.statements(function).into_iter();
        let reading =
            statements.filter(|it| items(&it["Action"]).any(|action| action == "secretsmanager:GetSecretValue"));
        reading
            .flat_map(|statement| items(&statement["Resource"]))
            .map(|resource| self.secret(resource["Ref"].as_str().expect("a secret of the template")))
            .collect()
    }

    /// The name of a secret, without the stack's.
    fn secret(&self, resource: &str) -> String {
        let name = self.resource(resource)["Properties"]["Name"]["Fn::Sub"].as_str().expect("a secret with a name");
        name.strip_prefix("${AWS::StackName}/").expect("a secret's name begins with the stack's").to_owned()
    }
}

/// What follows the stack's name, as of the name of a function or a rule.
#[must_use]
pub fn named(name: &Value) -> &str {
    let name = name["Fn::Sub"].as_str().expect("a name that begins with the stack's");
    name.strip_prefix("${AWS::StackName}-").expect("a name that begins with the stack's")
}

/// The items of a list, or a single one: policies are written either way.
pub fn items(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, one) = match value {
        Value::Array(list) => (list.as_slice(), None),
        Value::Null => (&[][..], None),
        one => (&[][..], Some(one)),
    };
    list.iter().chain(one)
}
