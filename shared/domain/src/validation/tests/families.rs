//! Families, and records side by side.

use super::{RT, TODAY, check};
use crate::code_list::{Code, Shdk};
use crate::id::RecordId;
use crate::record::Keluarga;
use crate::validation::{
    check_dasawisma_size, check_keluarga, check_keluarga_anggota, check_rumah_tangga_dasawisma,
};

#[test]
fn families_and_what_lies_side_by_side() {
    let family = Keluarga { rumah_tangga_id: RT, ..Keluarga::default() };
    check(&check_keluarga(&family, TODAY), &["no_kk.kosong"]);
    let head = Some(Code::<Shdk>::KEPALA_KELUARGA);
    let child = Some(Code::<Shdk>::ANAK);
    check(&check_keluarga_anggota(&[head, child, None]), &[]);
    check(&check_keluarga_anggota(&[child]), &["keluarga.tanpa_kepala"]);
    check(&check_keluarga_anggota(&[head, head]), &["keluarga.banyak_kepala"]);
    for (kk, wanted) in [
        (9, vec!["dasawisma.jumlah_kk"]),
        (10, vec![]),
        (20, vec![]),
        (21, vec!["dasawisma.jumlah_kk"]),
    ] {
        check(&check_dasawisma_size(kk), &wanted);
    }
    check(&check_rumah_tangga_dasawisma(RT, RT), &[]);
    check(&check_rumah_tangga_dasawisma(RT, RecordId([9; 16])), &["!dasawisma_id.rt_lain"]);
}
