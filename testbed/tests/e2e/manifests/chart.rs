//! The Helm chart: the same objects as the overlays, and what Helm itself makes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};
use testbed::{helm::Helm, stack::Programs};
use tokio::process::Command;

use super::{
    Empty, MANIFESTS, install_cert_manager_crds, install_monitoring_crds,
    rendered::{self, Key, objects},
    rights,
};
use crate::world::World;

/// What Helm adds to the objects of a chart, and the overlays have no use for.
const LABELS_OF_HELM: [&str; 4] =
    ["app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"];
const ANNOTATION_OF_HELM: &str = "helm.sh/resource-policy";

/// Made by `helm install --create-namespace`, or by whoever owns the cluster: a release cannot hold its own namespace.
const MADE_BEFORE: (&str, &str, &str) = ("Namespace", "", "rds-system");

/// A file of the chart that is a copy, and what it is a copy of.
const COPIES: [(&str, &str); 4] = [
    ("files/crds/rdsdatabases.yaml", "crd/rdsdatabases.yaml"),
    ("files/crds/rdsdatabaseclasses.yaml", "crd/rdsdatabaseclasses.yaml"),
    ("files/alerts.yaml", "components/monitoring/alerts.yaml"),
    ("files/dashboard.json", "components/monitoring/dashboard.json"),
];

/// In place of the person's own folders. Nothing of it is used.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/helm");

async fn helm() -> Result<Helm> {
    Helm::new(Path::new(HOME)).await
}

/// Renders the chart with these values, each as `key=value`.
async fn render(helm: &Helm, values: &[&str]) -> Result<BTreeMap<Key, Value>> {
    let chart = chart();
    let values = values.join(",");
    objects(&helm.ok(&["template", "rds-operator", &chart, "--namespace=rds-system", "--set", &values]).await?)
}

fn chart() -> String {
    format!("{MANIFESTS}/helm/rds-operator")
}

pub(super) async fn equals_the_overlays(world: &World) -> Result<()> {
    for (copy, original) in COPIES {
        let (copy, original) = (format!("{}/{copy}", chart()), format!("{MANIFESTS}/{original}"));
        let same = std::fs::read(&copy).with_context(|| copy.clone())? == std::fs::read(&original)?;
        ensure!(same, "{copy} is old: run manifests/helm/update-files.sh");
    }
    let copied = std::fs::read_dir(format!("{}/files/crds", chart()))?.count();
    ensure!(copied == 2, "{copied} files in files/crds: COPIES of this test names two");

    let helm = helm().await?;
    let kubectl = world.controlplane().await?.kubectl();
    for (overlay, values) in [
        ("overlays/cert-manager", &[][..]),
        ("overlays/cert-manager", &["certificates.source=cert-manager"]),
        ("overlays/self-managed", &["certificates.source=self-managed"]),
    ] {
        compare(
            rendered::folder(kubectl, overlay).await?,
            render(&helm, values).await?,
            &format!("{overlay} {values:?}"),
        )?;
    }

    // Each component has its values. It takes what is an overlay's own from a ConfigMap that is not installed.
    let overlay = tempfile::tempdir_in(format!("{MANIFESTS}/overlays"))?;
    std::fs::write(overlay.path().join("kustomization.yaml"), EVERYTHING)?;
    let folder = overlay.path().to_str().context("the folder's path is not UTF-8")?;
    let rendered = kubectl.ok(&["kustomize", folder]).await;
    overlay.close()?;
    let values = [
        "certificates.source=self-managed",
        "certificates.clientCA=rds-webhook-client-ca",
        "monitoring.enabled=true",
        "watchNamespace=shop",
        "region=eu-central-1",
        r"reconciler.serviceAccount.annotations.eks\.amazonaws\.com/role-arn=arn:aws:iam::123456789012:role/rds-operator",
    ];
    compare(objects(&rendered?)?, render(&helm, &values).await?, "all components")
}

const EVERYTHING: &str = r#"
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../self-managed]
components:
  - ../../components/monitoring
  - ../../components/single-namespace
  - ../../components/irsa
  - ../../components/client-ca
configMapGenerator:
  - name: rds-operator-irsa
    literals: [region=eu-central-1, "roleArn=arn:aws:iam::123456789012:role/rds-operator"]
    options: {annotations: {config.kubernetes.io/local-config: "true"}}
  - name: rds-operator-single-namespace
    literals: [namespace=shop]
    options: {annotations: {config.kubernetes.io/local-config: "true"}}
"#;

/// Object by object, but for the few things that are written at the top of this file.
fn compare(mut overlay: BTreeMap<Key, Value>, chart: BTreeMap<Key, Value>, what: &str) -> Result<()> {
    let (kind, namespace, name) = MADE_BEFORE;
    let before = overlay.remove(&(kind.to_owned(), namespace.to_owned(), name.to_owned()));
    ensure!(before.is_some(), "{what}: the overlay makes no namespace");
    let names = |objects: &BTreeMap<Key, Value>| objects.keys().cloned().collect::<Vec<_>>();
    ensure!(
        names(&overlay) == names(&chart),
        "{what}:\nthe overlay has {:#?}\nthe chart has {:#?}",
        names(&overlay),
        names(&chart)
    );
    for (key, mut ours) in chart {
        let wanted = &overlay[&key];
        for label in LABELS_OF_HELM {
            let labels = ours["metadata"]["labels"].as_object_mut();
            ensure!(labels.is_some_and(|labels| labels.remove(label).is_some()), "{what}: {key:?} lacks {label}");
        }
        let metadata = ours["metadata"].as_object_mut().context("an object without metadata")?;
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(ANNOTATION_OF_HELM);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
        let differences = differences("", wanted, &ours);
        ensure!(differences.is_empty(), "{what}: {key:?}: the overlay and the chart have\n{}", differences.join("\n"));
    }
    Ok(())
}

/// Where two values are not the same, and what each has there.
fn differences(at: &str, overlay: &Value, chart: &Value) -> Vec<String> {
    match (overlay, chart) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let null = Value::Null;
            let child = |object: &Map<String, Value>, key: &str| object.get(key).unwrap_or(&null).clone();
            keys.into_iter()
                .flat_map(|key| differences(&format!("{at}/{key}"), &child(a, key), &child(b, key)))
                .collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.flat_map(|(index, (a, b))| differences(&format!("{at}/{index}"), a, b)).collect()
        }
        (a, b) if a == b => Vec::new(),
        (a, b) => vec![format!("{at}: {a} and {b}")],
    }
}

pub(super) async fn is_well_formed_and_refuses_mistakes(_: &World) -> Result<()> {
    let helm = helm().await?;
    helm.ok(&["lint", "--strict", &chart()]).await?;
    let without_authority = "give the PEM of the authority";
    for (value, complaint) in [
        ("certificates.source=certmanager", "/certificates/source"),
        ("certificates.sorce=secret", "'sorce' not allowed"),
        ("webhook.replicas=0", "/webhook/replicas"),
        ("region=Frankfurt", "/region"),
        ("watchNamespace=Shop", "/watchNamespace"),
        ("defaultVersions.oracle=19", "'oracle' not allowed"),
        ("defaultVersions.postgresql=11", "/defaultVersions/postgresql"),
        ("defaultVersions.postgresql=latest", "/defaultVersions/postgresql"),
        ("defaultVersions.mysql=5.7.44", "/defaultVersions/mysql"),
        ("clusterName=prod;drop", "/clusterName"),
        ("certificates.secretName=own/tls", "/certificates/secretName"),
        ("certificates.clientCA=Own", "/certificates/clientCA"),
        ("certificates.leafLifetime=0h", "/certificates/leafLifetime"),
        ("webhook.logLevel=verbose", "/webhook/logLevel"),
        ("webhook.image.tag=a:b", "/webhook/image/tag"),
        ("reconciler.image.tag=-", "/reconciler/image/tag"),
        ("certificates.source=secret", without_authority),
    ] {
        let answer = helm.run(&["template", "rds-operator", &chart(), "--set", value]).await?;
        ensure!(!answer.success && answer.stderr.contains(complaint), "{value}: {}{}", answer.stdout, answer.stderr);
    }

    // Another namespace is another name in the certificate, in the registrations and in the bindings: nothing may be left behind.
    let chart = chart();
    for source in ["cert-manager", "self-managed"] {
        let source =
            format!("certificates.source={source},monitoring.enabled=true,watchNamespace=shop,clusterName=prod");
        let elsewhere = helm.ok(&["template", "x", &chart, "--namespace=databases", "--set", &source]).await?;
        for (key, object) in objects(&elsewhere)? {
            let place = key.1.as_str();
            ensure!(["", "databases", "rds", "shop"].contains(&place), "{key:?} is in {place}");
            // People are told commands with the usual namespace; nothing else may name it.
            let text = if key.0 == "PrometheusRule" { String::new() } else { object.to_string() };
            ensure!(!text.contains("rds-system"), "{key:?} names rds-system: {object:#}");
        }
    }

    let files =
        "certificates.source=secret,certificates.secretName=own,certificates.caBundle=-----BEGIN CERTIFICATE-----";
    let rendered = render(&helm, &[files]).await?;
    let find = |kind: &str, name: &str| {
        rendered.iter().find(|((a, _, b), _)| a == kind && b == name).map(|(_, object)| object)
    };
    let registration = find("ValidatingWebhookConfiguration", "rds-webhook").context("no registration")?;
    let bundle = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t";
    ensure!(registration["webhooks"][0]["clientConfig"]["caBundle"] == bundle, "{registration:#}");
    let deployment = find("Deployment", "rds-webhook").context("no Deployment")?;
    ensure!(deployment.pointer("/spec/template/spec/volumes/0/secret/secretName") == Some(&"own".into()));
    ensure!(!rendered.keys().any(|(kind, ..)| kind == "Certificate"), "cert-manager is asked for nothing");
    Ok(())
}

/// Every flag that values can bring about is one that the service has. With `--help` it reads its command line and ends.
pub(super) async fn brings_about_no_unknown_flag(_: &World) -> Result<()> {
    let helm = helm().await?;
    let programs = Programs::build().await?;
    let all = "certificates.authorityLifetime=4380h,certificates.leafLifetime=72h,certificates.clientCA=api-servers,clusterName=prod,\
        watchNamespace=shop,defaultVersions.postgresql=17,webhook.extraArgs={--body-limit=1000000},reconciler.extraArgs={--concurrency=8}";
    for source in ["cert-manager", "self-managed"] {
        let rendered = render(&helm, &[&format!("certificates.source={source}"), all]).await?;
        for name in ["rds-webhook", "rds-reconciler"] {
            let deployment = &rendered[&("Deployment".to_owned(), "rds-system".to_owned(), name.to_owned())];
            let args = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
            // kubelet fills the Pod's namespace in.
            let args: Vec<String> = args
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|arg| Some(arg.as_str()?.replace("$(POD_NAMESPACE)", "rds-system")))
                .collect();
            ensure!(
                args.iter().any(|arg| arg.contains("1000000") || arg.contains("concurrency=8")),
                "{name}: {args:?}"
            );
            let accepted = async |args: &[String]| {
                let program = programs.reconciler().with_file_name(name);
                anyhow::Ok(Command::new(program).args(args).arg("--help").output().await?)
            };
            let output = accepted(&args).await?;
            ensure!(output.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
            ensure!(!accepted(&["--no-such-flag".to_owned()]).await?.status.success(), "{name} takes anything");
        }
    }
    Ok(())
}

/// `helm uninstall` takes the operator away and leaves the CRDs, the objects, and the namespace that applications resolve names in.
pub(super) async fn comes_and_goes_without_the_databases(world: &World) -> Result<()> {
    let helm = helm().await?;
    let empty = Empty::start(world).await?;
    install_cert_manager_crds(empty.kubectl()).await?;
    install_monitoring_crds(empty.kubectl()).await?;
    for source in ["cert-manager", "self-managed"] {
        come_and_go(&helm, &empty, &format!("certificates.source={source},monitoring.enabled=true")).await?;
    }
    what_stays_belongs_to_the_release(&helm, &empty).await?;
    empty.stop().await
}

/// A release of another name takes it over when it is told to, and not before.
async fn what_stays_belongs_to_the_release(helm: &Helm, empty: &Empty) -> Result<()> {
    let chart = chart();
    let kubeconfig = utf8(empty.kubectl().kubeconfig())?;
    let another = ["upgrade", "--install", "another", &chart, "--namespace=rds-system", "--kubeconfig", kubeconfig];
    let refused = helm.run(&another).await?;
    ensure!(!refused.success && refused.stderr.contains("invalid ownership metadata"), "{}", refused.stderr);
    helm.ok(&[&another[..], &["--take-ownership"]].concat()).await.map(drop)
}

async fn come_and_go(helm: &Helm, empty: &Empty, values: &str) -> Result<()> {
    let kubectl = empty.kubectl();
    let kubeconfig = utf8(kubectl.kubeconfig())?;
    let release = ["rds-operator", "--namespace=rds-system", "--kubeconfig", kubeconfig];
    let chart = chart();
    let upgrade = [&["upgrade", "--install"][..], &release, &[&chart, "--create-namespace", "--set", values]].concat();
    let installed = helm.run(&upgrade).await?;
    ensure!(installed.success && !installed.stderr.contains("arning"), "{}{}", installed.stdout, installed.stderr);
    ensure!(installed.stdout.contains("set `region`"), "nobody is told what is missing: {}", installed.stdout);
    let label = "pod-security.kubernetes.io/enforce=restricted";
    kubectl.ok(&["label", "namespace", "rds-system", label, "pod-security.kubernetes.io/warn=restricted"]).await.ok();
    let rendered = helm.ok(&[&["get", "manifest"][..], &release].concat()).await?;
    rights::rendered_pods_are_restricted(kubectl, &rendered).await?;
    if values.contains("self-managed") {
        rights::the_webhook_has_its_own_names(kubectl).await?;
    } else {
        rights::the_webhook_has_none(kubectl).await?;
    }

    // In the operator's own namespace nothing depends on the operator, which does not run here.
    kubectl
        .apply("apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: kept, namespace: rds-system}\n")
        .await?;
    helm.ok(&upgrade).await?;
    helm.ok(&[&["uninstall"][..], &release].concat()).await?;
    let gone =
        kubectl.ok(&["get", "deployments,mutatingwebhookconfigurations,clusterroles", "-A", "-o", "name"]).await?;
    ensure!(!gone.contains("rds-"), "left behind: {gone}");
    for kept in [
        &["get", "crd", "rdsdatabases.matrixmind.cloud", "rdsdatabaseclasses.matrixmind.cloud"][..],
        &["get", "rdsdatabase", "-n", "rds-system", "kept"],
        &["get", "namespace", "rds"],
    ] {
        kubectl.ok(kept).await?;
    }
    Ok(())
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
