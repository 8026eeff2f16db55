# /// script
# dependencies = ["moto[server,s3]==5.2.5", "boto3==1.44.8", "requests==2.34.2"]
# ///
"""S3: moto's server, used by boto3: keys, listings, an upload in parts, copies, versions, signed URLs."""

import hashlib
import io
import re
import sys

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from harness import run


def start(app):
    app.start([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", app.port])


def drive(app):
    s3 = boto3.client(
        "s3",
        endpoint_url=app.url,
        aws_access_key_id="AKIAOTTER",
        aws_secret_access_key="lamp",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
    for bucket in ("photos", "backups", "logs-of-ruth"):
        s3.create_bucket(Bucket=bucket)
    yield "buckets", [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    keys = [f"2026/{month:02}/jane in Zoë's house {number}.jpg" for month in (1, 2, 3) for number in range(8)]
    keys += ["report.pdf", "a//b", "+plus+", "key with #hash?", "dir/"]
    for key in keys:
        s3.put_object(Bucket="photos", Key=key, Body=key.encode() * 50, Metadata={"owner": "jane"})
    yield "bodies", [hashlib.md5(s3.get_object(Bucket="photos", Key=key)["Body"].read()).hexdigest() for key in keys]
    yield "heads", [s3.head_object(Bucket="photos", Key=key)["Metadata"] for key in keys[::6]]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="photos", PaginationConfig={"PageSize": 10})
    yield "pages", [[entry["Key"] for entry in page["Contents"]] for page in pages]
    folders = s3.list_objects_v2(Bucket="photos", Delimiter="/")
    yield "folders", [entry["Prefix"] for entry in folders["CommonPrefixes"]]
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
    large = bytes(range(256)) * (80 << 10)
    s3.upload_fileobj(io.BytesIO(large), "backups", "database/dump-2026-11-27.sql.gz", Config=parts)
    back = io.BytesIO()
    s3.download_fileobj("backups", "database/dump-2026-11-27.sql.gz", back, Config=parts)
    yield "parts", [s3.head_object(Bucket="backups", Key="database/dump-2026-11-27.sql.gz")["ETag"], back.getvalue() == large]
    yield "range", s3.get_object(Bucket="backups", Key="database/dump-2026-11-27.sql.gz", Range="bytes=5-9")["Body"].read().hex()
    s3.copy_object(Bucket="backups", Key="copy.pdf", CopySource={"Bucket": "photos", "Key": "report.pdf"})
    s3.put_bucket_versioning(Bucket="backups", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket="backups", Key="notes.txt", Body=body)
    yield "versions", len(s3.list_object_versions(Bucket="backups", Prefix="notes")["Versions"])
    s3.put_object_tagging(Bucket="backups", Key="notes.txt", Tagging={"TagSet": [{"Key": "team", "Value": "otters"}]})
    yield "tags", s3.get_object_tagging(Bucket="backups", Key="notes.txt")["TagSet"]
    signed = s3.generate_presigned_url("get_object", Params={"Bucket": "backups", "Key": "copy.pdf"}, ExpiresIn=60)
    yield "signed URL", [requests.get(signed).status_code, requests.get(signed).text]
    post = s3.generate_presigned_post("backups", "form/${filename}")
    form = requests.post(post["url"], data=post["fields"], files={"file": ("jane.txt", b"tea")})
    yield "form", form.status_code
    deleted = s3.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": key} for key in keys[:10]]})
    yield "deleted", sorted(entry["Key"] for entry in deleted["Deleted"])
    refusals = [lambda: s3.get_object(Bucket="backups", Key="none"), lambda: s3.delete_bucket(Bucket="backups")]
    refusals += [lambda: s3.head_object(Bucket="nobody", Key="none")]
    for number, refused in enumerate(refusals):
        try:
            refused()
        except ClientError as error:
            yield f"refusal {number}", error.response["Error"]


def logged(app):
    return len(re.findall(r'" \d{3} -', app.log()))


if __name__ == "__main__":
    run(start, drive, logged=logged, hidden=["jane", "ruth", "dump-", "AKIA"])
