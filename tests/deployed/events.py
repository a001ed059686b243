"""What EventBridge in a moto server holds, as JSON.

    events.py prepare ENDPOINT     makes the bus `nexus`, and a queue that gets every event of it
    events.py rule ENDPOINT NAME   a rule of the default bus, with its targets
    events.py received ENDPOINT    the events that the queue got, in their order
"""

import json
import sys

import boto3

REGION = "eu-central-1"
BUS = "nexus"


def main():
    what, endpoint, *rest = sys.argv[1:] or ["", ""]

    def client(service):
        return boto3.client(
            service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )

    events, sqs = client("events"), client("sqs")
    if what == "prepare":
        events.create_event_bus(Name=BUS)
        url = sqs.create_queue(QueueName=BUS)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="everything", EventBusName=BUS, EventPattern=json.dumps({"source": ["nexus"]}))
        events.put_targets(Rule="everything", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
        found = {}
    elif what == "rule":
        found = events.describe_rule(Name=rest[0])
        found["Targets"] = events.list_targets_by_rule(Rule=rest[0])["Targets"]
        del found["ResponseMetadata"]
    elif what == "received":
        url, found = sqs.get_queue_url(QueueName=BUS)["QueueUrl"], []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found.extend(json.loads(message["Body"]) for message in messages)
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    else:
        sys.exit(__doc__)
    json.dump(found, sys.stdout)


main()
