use std::fs;

use lumbung_media::{Keys, Passphrase};

use super::*;

fn protection() -> (Protection, Passphrase) {
    let passphrase = Passphrase::new("kerbau besar di sawah").unwrap();
    let protection = Protection { recipients: vec![], passphrase: Some(passphrase.clone()) };
    (protection, passphrase)
}

fn names(folder: &Path) -> Vec<String> {
    let items = fs::read_dir(folder).unwrap();
    let names = items.map(|item| item.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_backup_leaves_nothing_beside_it_and_names_no_strange_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hub");
    fs::create_dir(&data).unwrap();
    let dataset = SqliteDataset::open(dataset_file(&data)).unwrap();
    let out = folder.path().join("cadangan");
    let open = create(&data, &dataset, &out, &Protection::default());
    assert!(matches!(open, Err(HubBackupError::Unprotected)));
    let (protection, passphrase) = protection();
    let made = create(&data, &dataset, &out, &protection).unwrap();
    assert_eq!(names(folder.path()), ["cadangan", "hub"]);
    assert!(!data.join(SCRATCH).exists() && last_ms(&data) == Some(made.header.time_ms));
    assert!(made.header.files.iter().any(|file| file.name == "identity/hub.key"));
    let shown = show(&out, Keys::Passphrase(&passphrase)).unwrap();
    assert_eq!(shown.header, made.header);
    for name in ["", "identity/", "identity/../x", "identity/.x", "../hub.db", "hub.lock", "/etc/x"]
    {
        assert!(!is_of_a_hub(name), "{name}");
    }
}

#[test]
fn another_hubs_backup_goes_in_only_when_a_person_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("a"), folder.path().join("b"));
    let (protection, passphrase) = protection();
    for data in [&ours, &theirs] {
        fs::create_dir(data).unwrap();
        let dataset = SqliteDataset::open(dataset_file(data)).unwrap();
        create(data, &dataset, &data.join("x"), &protection).unwrap();
    }
    let keys = Keys::Passphrase(&passphrase);
    let refused = restore(&ours, &theirs.join("x"), keys, Signers::OwnHub);
    assert!(matches!(refused, Err(HubBackupError::Stranger)) && !unfinished(&ours));
    let restored = restore(&ours, &theirs.join("x"), keys, Signers::AnyHub).unwrap();
    assert!(!restored.keys_too && restored.before.unwrap().join("hub.db").exists());
    assert!(restore(&ours, &ours.join("x"), keys, Signers::OwnHub).is_ok());
}
