"""The deployment template, translated, linted and deployed without an AWS account.

    template.py translate [TEMPLATE]        prints what CloudFormation gets of it, as JSON
    template.py lint [TEMPLATE]             every rule of cfn-lint on that; exit 1 if one has a finding
    template.py deploy ENDPOINT [TEMPLATE]  makes the stack in a moto server and prints, as JSON, what moto then holds
"""

import ast
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REGION = "us-east-1"
STACK = "nexus"
BUCKET = "nexus-code"
# The libraries want a region and credentials even where they call nothing, and take those of a real account if they may.
os.environ.update(AWS_DEFAULT_REGION=REGION, AWS_REGION=REGION, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
os.environ.pop("AWS_PROFILE", None)
os.environ.pop("AWS_SESSION_TOKEN", None)

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "template.yaml"


def translate(path):
    """SAM to CloudFormation, by the library that AWS itself uses for it."""
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    template = yaml_parse(Path(path).read_text(encoding="utf-8"))
    # `sam deploy` uploads each folder and writes its address here.
    for resource in template["Resources"].values():
        code = resource.get("Properties", {}).get("CodeUri", "")
        if code:
            resource["Properties"]["CodeUri"] = f"s3://{BUCKET}/{Path(code).name}.zip"

    class NoManagedPolicies:
        """Names of AWS's own policies would be looked up in the account; the template names none."""

        @staticmethod
        def load():
            return {}

    return transform(template, {}, NoManagedPolicies())


def lint(template):
    """The number of findings; they are printed."""
    # All but one, which asks for notes to machines in the metadata of every resource; ours stand in comments.
    rules = ["--include-checks", "I", "--include-experimental", "--ignore-checks", "I4010"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.json"
        file.write_text(json.dumps(template, indent=1), encoding="utf-8")
        program = [str(Path(sys.executable).with_name("cfn-lint")), str(file), "--regions", REGION, "--format", "json", *rules]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
    if not done.stdout.strip().startswith("["):
        sys.exit(f"cfn-lint broke off: {done.stderr or done.stdout}")
    findings = json.loads(done.stdout)
    for found in findings:
        place = "/".join(str(part) for part in found["Location"]["Path"] or [])
        print(f"{found['Rule']['Id']} {place}: {found['Message']}")
    return len(findings)


def without_what_moto_cannot(template):
    """The template as moto takes it, and what was changed for that."""
    changed = []

    def stand_in(kind, value, why):
        for name, resource in list(template["Resources"].items()):
            if resource["Type"] == kind:
                del template["Resources"][name]
                changed.append(f"{name} ({kind}): {why}")
                if value is not None:
                    replace(template, name, value(resource))

    def replace(node, name, value):
        """Writes `value` where `node` refers to the resource `name`."""
        for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
            if child == {"Ref": name} or (isinstance(child, dict) and child.get("Fn::GetAtt", [None])[0] == name):
                node[key] = value
            elif key == "Fn::Sub" and isinstance(child, str) and isinstance(value, str):
                node[key] = child.replace("${" + name + "}", value)
            elif isinstance(child, (dict, list)):
                replace(child, name, value)

    def arn(secret):
        name = secret["Properties"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", STACK)
        return f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{name}"

    stand_in("Custom::NexusSetup", None, "it would run the function in a container")
    stand_in("AWS::SecretsManager::Secret", arn, "there are none in a stack, so nothing has its ARN")
    stand_in("AWS::SSM::Parameter", lambda it: it["Properties"]["Value"], "it does not tell the value")
    # What waited for one of them has nothing to wait for any more.
    for resource in template["Resources"].values():
        waits = resource.get("DependsOn", [])
        waits = [waits] if isinstance(waits, str) else waits
        kept = [name for name in waits if name in template["Resources"]]
        if kept != waits:
            resource["DependsOn"] = kept
    return changed


def deploy(template, endpoint):
    """Makes the stack and tells what is there then."""
    import boto3

    def client(service):
        return boto3.client(service, endpoint_url=endpoint)

    changed = without_what_moto_cannot(template)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("bootstrap", "")
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            s3.put_object(Bucket=BUCKET, Key=resource["Properties"]["Code"]["S3Key"], Body=archive.getvalue())
    functions = client("lambda")
    layer = functions.publish_layer_version(LayerName="secrets", Content={"ZipFile": archive.getvalue()})
    network = client("ec2")
    subnets = network.describe_subnets()["Subnets"]
    parameters = {
        "Release": "test",
        "ParametersAndSecretsExtensionArn": layer["LayerVersionArn"],
        "VpcId": subnets[0]["VpcId"],
        "SubnetIds": ",".join(subnet["SubnetId"] for subnet in subnets[:2]),
        "DatabaseHost": "database.example.com",
        "DatabasePassword": "secret",
    }
    stacks = client("cloudformation")
    body = json.dumps(template)
    # Past the limit of a body, a stack takes its template from S3, as `sam deploy` does it.
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=body)
    stacks.create_stack(
        StackName=STACK,
        TemplateURL=f"https://{BUCKET}.s3.amazonaws.com/template.json",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = stacks.describe_stacks(StackName=STACK)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        sys.exit(f"the stack is {stack['StackStatus']}: {stack.get('StackStatusReason')}")
    made = {it.get("LogicalResourceId") for it in stacks.describe_stack_resources(StackName=STACK)["StackResources"]}
    left = sorted(f"{name} ({it['Type']})" for name, it in template["Resources"].items() if name not in made)
    return {"changed": changed, "left": left, **held(client)}


def held(client):
    """What moto holds: functions with their policies, roles with their rights, rules with their targets."""
    functions, roles, events = client("lambda"), client("iam"), client("events")
    found = {"functions": {}, "roles": {}, "rules": {}}
    for function in functions.list_functions()["Functions"]:
        name = function["FunctionName"]
        try:
            policy = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
        except functions.exceptions.ResourceNotFoundException:
            policy = []
        reserved = functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        found["functions"][name] = {**function, "Policy": policy, "Reserved": reserved}
    for role in roles.list_roles()["Roles"]:
        name = role["RoleName"]
        policies = roles.list_role_policies(RoleName=name)["PolicyNames"]
        documents = [roles.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in policies]
        # moto keeps what came by a stack as Python wrote it, and does not attach managed policies.
        found["roles"][role["Arn"]] = [ast.literal_eval(it) if isinstance(it, str) else it for it in documents]
    for bus in events.list_event_buses()["EventBuses"]:
        for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus["Name"])["Targets"]
            found["rules"][rule["Arn"]] = {**rule, "Bus": bus["Name"], "Targets": targets}
    return found


def main():
    what, *rest = sys.argv[1:] or [""]
    if what == "translate":
        json.dump(translate(*rest or [TEMPLATE]), sys.stdout, indent=1, default=str)
    elif what == "lint":
        sys.exit(1 if lint(translate(*rest or [TEMPLATE])) else 0)
    elif what == "deploy" and rest:
        endpoint, *path = rest
        json.dump(deploy(translate(*path or [TEMPLATE]), endpoint), sys.stdout, indent=1, default=str)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
