use super::super::scalar::Scalar;
use super::*;

fn tree(text: &str) -> Tree {
    parse(FileId(0), Arc::from(text))
}

fn slice(tree: &Tree, node: super::super::Node<'_>) -> String {
    tree.text()[node.local_range()].to_string()
}

#[test]
fn every_key_and_value_has_its_span() {
    let t = tree("a: 1\nb:\n  - x\n  - y: 'q'\nc: {d: [1, 2]}\n");
    let root = t.roots().next().unwrap();
    assert_eq!(slice(&t, root.get("a").unwrap()), "1");
    assert_eq!(slice(&t, root.get("b").unwrap().key().unwrap()), "b");
    let y = root.get("b").unwrap().items().nth(1).unwrap().get("y").unwrap();
    assert_eq!(slice(&t, y), "'q'");
    assert_eq!(y.text(), Some("q"));
    assert_eq!(y.path_below(None, false), "b[1].y");
    assert_eq!(slice(&t, root.get("c").unwrap()), "{d: [1, 2]}");
    assert_eq!(slice(&t, root.get("b").unwrap()), "- x\n  - y: 'q'");
}

#[test]
fn documents_empty_ones_and_recovery() {
    let t = tree("a: 1\n---\n---\nb: [\n---\nc: 3\n");
    let names: Vec<_> =
        t.roots().filter(|r| r.is_map()).map(|r| r.entries().next().unwrap().0.text().unwrap().to_string()).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(t.errors.len(), 1);
    assert_eq!(t.errors[0].kind, ErrorKind::Syntax);
}

#[test]
fn empty_values_lie_after_the_colon() {
    let t = tree("a:\nb: ~\nc:\n- \n- x\n");
    let root = t.roots().next().unwrap();
    assert!(root.get("a").unwrap().is_null());
    assert_eq!(root.get("a").unwrap().place(), root.get("a").unwrap().key().unwrap().span());
    assert!(root.get("b").unwrap().is_null());
    assert!(root.get("c").unwrap().items().next().unwrap().is_null());
}

#[test]
fn block_scalars_start_at_their_indicator() {
    let t = tree("a: |-  # note\n\n  x | y\n  z\nb: >+\n  q\n\nc: 1\n");
    let root = t.roots().next().unwrap();
    assert_eq!(slice(&t, root.get("a").unwrap()), "|-  # note\n\n  x | y\n  z");
    assert_eq!(root.get("a").unwrap().text(), Some("\nx | y\nz"));
    assert_eq!(slice(&t, root.get("b").unwrap()), ">+\n  q");
}

#[test]
fn merge_keys_answer_where_the_map_does_not() {
    let t = tree("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n");
    let map = t.roots().next().unwrap().get("use").unwrap();
    assert_eq!(map.get("x").unwrap().int(), Some(1));
    assert_eq!(map.get("y").unwrap().int(), Some(3));
    assert_eq!(map.entries().count(), 2);
}

#[test]
fn aliases_are_followed_and_keep_their_place() {
    let t = tree("a: &m 4Gi\nb: *m\nc: *nope\n");
    let root = t.roots().next().unwrap();
    assert_eq!(root.get("b").unwrap().text(), Some("4Gi"));
    assert_eq!(&t.text()[root.get("b").unwrap().place().range()], "*m");
    assert_eq!(t.errors[0].kind, ErrorKind::UnknownAlias);
}

#[test]
fn an_alias_bomb_stays_small() {
    let mut text = String::from("a0: &a0 x\n");
    for i in 1..60 {
        text += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
    }
    let t = tree(&text);
    assert!(t.len() < 1000);
    assert!(matches!(t.errors[..], [Error { kind: ErrorKind::Limit, .. }]), "{:?}", t.errors);
}

/// What go.yaml.in/yaml accepts and refuses, tried with sigs.k8s.io/yaml 1.4.
#[test]
fn fans_of_aliases_are_refused_where_kubectl_refuses_them() {
    let fan = |own: usize, wide: usize| {
        let list = |item: &str, count: usize| vec![item; count].join(", ");
        format!("x: &x [{}]\na: &a [{}]\nb: [{}]\n", list("1", own), list("*x", wide), list("*a", wide))
    };
    let accepted = [(1, 8), (1, 40), (50, 8), (2000, 5)].map(|fan| (fan, true));
    let refused = [(1, 80), (400, 20), (300, 30), (400, 400)].map(|fan| (fan, false));
    for ((own, wide), accepted) in accepted.into_iter().chain(refused) {
        let t = tree(&(fan(own, wide) + "---\nc: 1\n"));
        assert_eq!(t.errors.is_empty(), accepted, "{own}, {wide}: {:?}", t.errors);
        // The next document is read all the same.
        assert!(t.roots().last().unwrap().get("c").is_some());
        assert!(accepted || t.documents.len() == 1);
    }
}

#[test]
fn a_value_that_no_api_server_takes_is_refused() {
    let t = tree(&format!("a: {}\n---\nb: 1\n", "x".repeat(5 << 20)));
    assert!(matches!(t.errors[..], [Error { kind: ErrorKind::Limit, .. }]));
    assert_eq!(t.documents.len(), 1);
}

#[test]
fn a_self_reference_does_not_loop() {
    let t = tree("a: &a\n  <<: *a\n  b: [*a]\n");
    let a = t.roots().next().unwrap().get("a").unwrap();
    assert!(a.get("nope").is_none());
    assert!(a.entries().count() <= 1);
    assert_eq!(t.errors.len(), 2, "kubectl refuses both: {:?}", t.errors);
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let t = tree(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    assert_eq!(t.errors.len(), 1);
    let deep: String = (0..1000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert_eq!(tree(&deep).errors.len(), 1);
}

#[test]
fn duplicate_keys_name_both_places() {
    let t = tree("a:\n  memory: 1\n  cpu: 2\n  memory: 3\n");
    assert_eq!(t.errors.len(), 1);
    let first = duplicate(&t.errors[0]).unwrap();
    assert_eq!(first.start, 5);
    assert_eq!(&t.text()[t.errors[0].span.range()], "memory");
    let a = t.roots().next().unwrap().get("a").unwrap();
    assert_eq!(a.get("memory").unwrap().int(), Some(3));
}

#[test]
fn bom_crlf_and_json() {
    let t = tree("\u{feff}kind: Service\r\nmetadata:\r\n  name: x\r\n");
    let root = t.roots().next().unwrap();
    assert_eq!(root.get("kind").unwrap().text(), Some("Service"));
    assert_eq!(slice(&t, root.at(&["metadata", "name"]).unwrap()), "x");
    let json = tree("{\n\t\"kind\": \"Service\",\n\t\"n\": [1, 2.5, null, true], \"p\": \"a\\/b\"\n}\n");
    assert!(json.errors.is_empty(), "{:?}", json.errors);
    let root = json.roots().next().unwrap();
    assert_eq!(root.get("p").unwrap().text(), Some("a/b"));
    assert_eq!(root.get("n").unwrap().items().nth(1).unwrap().scalar(), Some(Scalar::Float(2.5)));
}

#[test]
fn comments_are_kept() {
    let t = tree("# top\na: 1 # right\n  # own\nb: 2\n");
    let texts: Vec<_> = t.comments.iter().map(|c| (&t.text()[c.start as usize..c.end as usize], c.own_line)).collect();
    assert_eq!(texts, [("# top", true), ("# right", false), ("# own", true)]);
}

#[test]
fn many_comment_lines_in_a_row() {
    let text = format!("a: 1\n{}b: 2\n", "# x\n".repeat(5000));
    assert!(tree(&text).errors.is_empty());
}

#[test]
fn places_of_collections() {
    let t = tree("kind: X\nmetadata:\n  name: n\nspec:\n  items:\n  - name: first\n  - 5\n  - {}\n");
    let root = t.roots().next().unwrap();
    let at = |n: super::super::Node<'_>| t.text()[n.place().range()].to_string();
    assert_eq!(at(root), "n");
    assert_eq!(at(root.get("spec").unwrap()), "spec");
    let items = root.at(&["spec", "items"]).unwrap();
    assert_eq!(at(items.items().next().unwrap()), "first");
    assert_eq!(at(items.items().nth(1).unwrap()), "5");
    assert_eq!(at(items.items().nth(2).unwrap()), "{}");
}

#[test]
fn the_place_of_an_empty_item_is_its_lists() {
    for text in ["-", "- -", "a: [~]\nb:\n- ", "- - \n  - x"] {
        let t = tree(text);
        for number in 0..t.len() {
            let place = t.node(super::super::NodeId(number as u32)).place();
            assert!(t.text().get(place.range()).is_some(), "{text:?}");
        }
    }
}

#[test]
fn raw_templates_are_told_from_yaml() {
    let is_template = |text: &str| super::super::is_template_text(&tree(text));
    assert!(is_template("a: {{ .Values.x }}\n"));
    assert!(is_template("{{- if .x }}\na: 1\n{{- end }}\n"));
    assert!(!is_template("a: |\n  {{ .x }}\nb: '{{ .y }}'\n"));
    assert!(!is_template("a: [\n"));
}

#[test]
fn maps_that_merge_maps_that_merge_maps_end() {
    let mut text = "m0: &m0 {k0: v}\n".to_string();
    for i in 1..3 {
        let aliases = vec![format!("*m{}", i - 1); 10].join(", ");
        text += &format!("m{i}: &m{i}\n  <<: [{aliases}]\n  k{i}: v\n");
    }
    let t = tree(&(text + "last:\n  <<: *m2\n  own: v\n"));
    let last = t.roots().next().unwrap().get("last").unwrap();
    assert_eq!(last.get("k1").and_then(super::super::Node::text), Some("v"));
    assert!(last.get("nothing").is_none());
    assert!(last.entries().any(|(key, _)| key.text() == Some("own")));
}

#[test]
fn empty_values_and_blocks_overlap_nothing() {
    let t = tree("a: |\nb: >-\n");
    let root = t.roots().next().unwrap();
    assert_eq!((slice(&t, root.get("a").unwrap()), slice(&t, root.get("b").unwrap())), ("|".into(), ">-".into()));
    let t = tree("? x\n:y: 1\n");
    let root = t.roots().next().unwrap();
    assert_eq!(root.get("x").unwrap().local_range(), 4..4);
    assert_eq!(slice(&t, root.get(":y").unwrap().key().unwrap()), ":y");
}

#[test]
fn errors_about_keys_lie_in_the_text_and_cut_no_character() {
    for text in ["?\n-", "? é: 1\n: 2\n", "? [é]\n"] {
        let t = tree(text);
        assert!(t.errors.iter().any(|error| error.kind == ErrorKind::ComplexKey), "{text:?}");
        assert!(t.errors.iter().all(|error| text.get(error.span.range()).is_some()), "{text:?}: {:?}", t.errors);
    }
}

#[test]
fn comments_without_a_blank_before_them_are_read_as_kubectl_reads_them() {
    let text = "a: \"x\"# é\nb: [y]#2\nc: >#3\n  z\nd: {e: 1}#4\r\nf: 5 # own\n";
    let t = tree(text);
    assert!(t.errors.is_empty(), "{:?}", t.errors);
    let root = t.roots().next().unwrap();
    let at = |key: &str| slice(&t, root.get(key).unwrap());
    assert_eq!([at("a"), at("b"), at("c"), at("f")], ["\"x\"", "[y]", ">#3\n  z", "5"]);
    let comments: Vec<&str> = t.comments.iter().map(|c| &text[c.start as usize..c.end as usize]).collect();
    assert_eq!(comments, ["# é", "#2", "#3", "#4", "# own"]);
    // Many of them are no YAML that somebody wrote.
    assert_eq!(tree(&"a: \"x\"#\n---\n".repeat(40)).errors.len(), 24);
}

#[test]
fn a_key_may_be_an_alias() {
    let t = tree("a: &k name\n*k : x\n&l b: *l\nc: &m [1]\n");
    let root = t.roots().next().unwrap();
    assert_eq!(root.get("name").and_then(super::super::Node::text), Some("x"));
    assert_eq!(root.get("b").and_then(super::super::Node::text), Some("b"));
    assert!(root.entries().all(|(key, _)| root.get(key.text().unwrap()).is_some()));
}

#[test]
fn keys_that_stand_twice_hide_no_later_document() {
    let twice = "a: 1\na: 2\n---\n".repeat(300);
    let tree = parse(FileId(0), Arc::from(format!("{twice}b: [\n---\nlast: 1\n").as_str()));
    let last = tree.roots().last().unwrap();
    assert!(last.get("last").is_some());
    // Documents that can't be read end the file at some time, and say so.
    let tree = parse(FileId(0), Arc::from("b: [}\n---\n".repeat(300).as_str()));
    assert!(tree.errors.last().is_some_and(|e| e.message.contains("the rest of the file was not read")));
}
