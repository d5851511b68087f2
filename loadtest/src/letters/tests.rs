use lapin::types::AMQPValue;

use super::*;

const NOW: u64 = 1_760_000_000;

fn args() -> LetterArgs {
    LetterArgs {
        size: 1024,
        services: 40,
        squads: 12,
        errors: 100,
        no_message_id: false,
        message_id: false,
        seed: Some(7),
    }
}

#[test]
fn the_same_seed_makes_the_same_messages() {
    let (one, other) = (Letters::new(&args(), Mode::Dead), Letters::new(&args(), Mode::Dead));
    for index in 0..200 {
        assert_eq!(one.letter(index, NOW), other.letter(index, NOW));
    }
    let seed = LetterArgs { seed: Some(8), ..args() };
    let differing = Letters::new(&seed, Mode::Dead);
    assert_ne!(one.letter(0, NOW), differing.letter(0, NOW));
}

#[test]
fn fresh_ids_change_nothing_but_the_id() {
    let plain = Letters::new(&args(), Mode::Dead).letter(3, NOW);
    let fresh = Letters::new(&args(), Mode::Dead).with_fresh_ids().letter(3, NOW);
    assert_ne!(plain.message_id, fresh.message_id);
    assert_eq!(plain.body, fresh.body);
    assert_eq!(plain.properties.headers(), fresh.properties.headers());
}

#[test]
fn a_body_is_json_of_the_size_asked_for() {
    for size in [2, 40, 300, 1024, 8192] {
        let letters = Letters::new(&LetterArgs { size, ..args() }, Mode::Dead);
        let letter = letters.letter(5, NOW);
        assert_eq!(letter.body.len(), size);
        serde_json::from_slice::<serde_json::Value>(&letter.body).expect("valid JSON");
    }
}

#[test]
fn a_message_goes_without_an_id_when_told_to() {
    let letters = Letters::new(&LetterArgs { no_message_id: true, ..args() }, Mode::Dead);
    let letter = letters.letter(0, NOW);
    assert_eq!(letter.message_id, None);
    assert_eq!(letter.properties.message_id(), &None);
}

#[test]
fn the_death_is_told_in_the_types_of_the_broker() {
    let letter = Letters::new(&args(), Mode::Dead).letter(11, NOW);
    let headers = letter.properties.headers().clone().expect("headers");
    let deaths = headers.inner().get("x-death").and_then(AMQPValue::as_array).expect("an array");
    let [AMQPValue::FieldTable(death)] = deaths.as_slice() else {
        panic!("not one table: {deaths:?}");
    };
    let types: String = death.into_iter().map(|(_, value)| value.get_type().get_id()).collect();
    // In the order of the keys: count, exchange, queue, reason, routing-keys, time.
    assert_eq!(types, "lSSSAT");
    assert_eq!(death.inner().get("time"), Some(&AMQPValue::Timestamp(NOW)));
    assert_eq!(headers.inner().get("x-first-death-queue"), death.inner().get("queue"));
}

#[test]
fn a_few_services_are_noisy() {
    let letters = Letters::new(&args(), Mode::Live);
    let noisiest = (0..2000)
        .map(|index| letters.letter(index, NOW).body)
        .filter(|body| String::from_utf8_lossy(body).contains("\"consumer\":\"card-clearing\""))
        .count();
    assert!((400..800).contains(&noisiest), "{noisiest} of 2000 from the noisiest of 40 services");
}
