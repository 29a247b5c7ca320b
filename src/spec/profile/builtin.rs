//! The profiles that are built into the binary, as text. A file that is not in this table does not
//! exist for the program; a test compares it with the folder.

/// Path under `profiles/` and contents. Ports come before roles, which name services.
pub(super) const FILES: [(&str, &str); 26] = [
    ("policies/cis-controls-8.1.yaml", include_str!("../../../profiles/policies/cis-controls-8.1.yaml")),
    ("policies/dora-rts-2024-1774.yaml", include_str!("../../../profiles/policies/dora-rts-2024-1774.yaml")),
    ("policies/iso-27001-2022.yaml", include_str!("../../../profiles/policies/iso-27001-2022.yaml")),
    ("policies/nis2-2024-2690.yaml", include_str!("../../../profiles/policies/nis2-2024-2690.yaml")),
    ("policies/nist-sp-800-53-r5.yaml", include_str!("../../../profiles/policies/nist-sp-800-53-r5.yaml")),
    ("policies/pci-dss-4.0.1.yaml", include_str!("../../../profiles/policies/pci-dss-4.0.1.yaml")),
    ("policies/soc2-2017.yaml", include_str!("../../../profiles/policies/soc2-2017.yaml")),
    ("ports/common.yaml", include_str!("../../../profiles/ports/common.yaml")),
    ("ports/sensitive.yaml", include_str!("../../../profiles/ports/sensitive.yaml")),
    ("ports/services.yaml", include_str!("../../../profiles/ports/services.yaml")),
    ("roles/bastion.yaml", include_str!("../../../profiles/roles/bastion.yaml")),
    ("roles/container-host.yaml", include_str!("../../../profiles/roles/container-host.yaml")),
    ("roles/dark.yaml", include_str!("../../../profiles/roles/dark.yaml")),
    ("roles/database.yaml", include_str!("../../../profiles/roles/database.yaml")),
    ("roles/directory-server.yaml", include_str!("../../../profiles/roles/directory-server.yaml")),
    ("roles/dns-authoritative.yaml", include_str!("../../../profiles/roles/dns-authoritative.yaml")),
    ("roles/dns-resolver.yaml", include_str!("../../../profiles/roles/dns-resolver.yaml")),
    ("roles/file-server.yaml", include_str!("../../../profiles/roles/file-server.yaml")),
    ("roles/ftp-server.yaml", include_str!("../../../profiles/roles/ftp-server.yaml")),
    ("roles/kubernetes-node.yaml", include_str!("../../../profiles/roles/kubernetes-node.yaml")),
    ("roles/mail-server.yaml", include_str!("../../../profiles/roles/mail-server.yaml")),
    ("roles/mail-submission.yaml", include_str!("../../../profiles/roles/mail-submission.yaml")),
    ("roles/monitoring.yaml", include_str!("../../../profiles/roles/monitoring.yaml")),
    ("roles/voip.yaml", include_str!("../../../profiles/roles/voip.yaml")),
    ("roles/vpn-gateway.yaml", include_str!("../../../profiles/roles/vpn-gateway.yaml")),
    ("roles/web-server.yaml", include_str!("../../../profiles/roles/web-server.yaml")),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_built_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
        let mut found = BTreeSet::new();
        for folder in ["policies", "ports", "roles"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                found.insert(format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()));
            }
        }
        let listed: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(found, listed);
    }
}
