// Certificates of an authority that is made for one test.
import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {writeFileSync} from "node:fs";
import path from "node:path";
import {seconds} from "./support.mjs";

function openssl(...args) {
  const done = spawnSync("openssl", args, {encoding: "utf8", timeout: seconds(30)});
  assert.equal(done.status, 0, `openssl ${args.join(" ")}: ${done.stderr}`);
}

/// An authority and a certificate of it for `names`, as files in `folder`.
export function certificates(folder, names = "DNS:localhost,IP:127.0.0.1") {
  const file = (name) => path.join(folder, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  openssl("req", "-x509", ...key, "-keyout", file("ca.key"), "-out", file("ca.pem"), "-days", "2",
                "-subj", "/CN=hawser interop", "-addext", "keyUsage=critical,keyCertSign");
  openssl("req", ...key, "-keyout", file("leaf.key"), "-out", file("leaf.csr"), "-subj", "/CN=leaf");
  writeFileSync(file("leaf.ext"), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
  openssl("x509", "-req", "-in", file("leaf.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
                "-CAcreateserial", "-out", file("leaf.pem"), "-days", "2", "-extfile", file("leaf.ext"));
  return {ca: file("ca.pem"), cert: file("leaf.pem"), key: file("leaf.key")};
}
