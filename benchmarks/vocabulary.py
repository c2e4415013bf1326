"""The words of the benchmark corpus, all written here, and which word may follow which."""

# ruff: noqa: SIM905 - as prose the lists read at a glance, as list literals they fill five screens

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

LANGUAGES: Final = ("medicine", "mathematics", "chinese")
#: Choices stored for each word; frequent successors fill several, which is how they are weighted.
SUCCESSORS: Final = 64
_SEED: Final = 20_261

Grammar: TypeAlias = Mapping[str, Mapping[str, float]]

# Classes of every language: `first` begins a text and carries no blank before it, `opener` begins
# a later sentence, `end` closes one, `paragraph` closes a paragraph and is followed by `first`.
_ENGLISH_GRAMMAR: Final[Grammar] = {
    "first": {"noun": 6, "adjective": 4},
    "opener": {"noun": 6, "adjective": 4},
    "determiner": {"noun": 6, "adjective": 4},
    "adjective": {"noun": 9, "adjective": 1},
    "noun": {"verb": 7, "preposition": 5, "end": 3, "link": 3, "special": 2, "paragraph": 0.4},
    "verb": {"determiner": 5, "adverb": 2, "preposition": 2, "noun": 2, "special": 2},
    "adverb": {"adjective": 3, "preposition": 3, "verb": 2, "end": 1},
    "preposition": {"determiner": 5, "noun": 3, "adjective": 2, "special": 2},
    "link": {"determiner": 5, "noun": 2, "verb": 2, "adverb": 2},
    "special": {"link": 3, "end": 3, "preposition": 3, "verb": 3, "paragraph": 0.4},
    "end": {"opener": 1},
    "paragraph": {"first": 1},
}
_CHINESE_GRAMMAR: Final[Grammar] = {
    "first": {"noun": 6, "verb": 3, "adjective": 3},
    "opener": {"noun": 6, "verb": 3, "adjective": 3},
    "adjective": {"noun": 9, "particle": 2},
    "noun": {"verb": 7, "link": 3, "end": 2, "particle": 3, "special": 1, "paragraph": 0.3},
    "verb": {"noun": 6, "adjective": 4, "adverb": 1, "special": 1},
    "adverb": {"verb": 6, "adjective": 4},
    "particle": {"noun": 6, "adjective": 2},
    "link": {"adverb": 4, "noun": 4, "verb": 3},
    "special": {"link": 3, "end": 3, "verb": 3},
    "end": {"opener": 1},
    "paragraph": {"first": 1},
}

_DETERMINER: Final = "the a this that each every any one such another its their our his her".split()
_OPENER: Final = """
The This That Each Any However, Therefore, Hence Thus Since So Now Next, First, Second, Finally,
Because If When While Given Suppose Consider Wait, Hmm, Okay, Alright, Perhaps Maybe Also, Still,
Clearly, Indeed, Actually, Overall, Again, Recall Note Let Here Another For With Given
""".split()
_PREPOSITION: Final = """
of in with for from by after before during without on at to under over between within through
against among about around despite including
""".split()
_LINK: Final = [
    ",",
    ";",
    ":",
    *(
        f" {word}"
        for word in "and or but so because which while although whereas unless since".split()
    ),
]
_ADVERB: Final = """
usually often rarely probably clearly only mostly slowly rapidly carefully directly indirectly
exactly nearly strongly weakly first again together alone partly fully simply rather quite
initially repeatedly steadily correctly
""".split()

_MEDICAL_ADJECTIVE: Final = """
acute chronic severe mild moderate recurrent progressive bilateral unilateral diffuse focal benign
malignant elevated reduced normal abnormal painful tender swollen febrile afebrile likely unlikely
common rare young elderly pregnant diabetic hypertensive septic ischaemic inflammatory infectious
autoimmune congenital hereditary metabolic toxic drug-induced post-operative nocturnal sudden
gradual persistent transient first-line second-line intravenous oral topical empirical urgent
distal proximal anterior posterior lateral medial upper lower left right deep superficial
""".split()
_MEDICAL_NOUN: Final = """
patient fever pain cough headache fatigue nausea vomiting rash oedema dyspnoea syncope seizure
bleeding weakness numbness swelling jaundice weight pressure pulse temperature saturation diagnosis
differential treatment history examination biopsy ultrasound radiograph scan culture smear panel
blood urine serum plasma stool sputum marrow lung heart liver kidney spleen pancreas stomach bowel
brain nerve muscle joint bone skin eye ear throat thyroid adrenal ovary uterus prostate bladder
artery vein valve lymph node tumour mass lesion nodule ulcer abscess fracture infection sepsis
stroke embolism infarction shock failure insufficiency obstruction perforation haemorrhage
dose dosage regimen course infusion injection tablet side-effect allergy contraindication risk
benefit prognosis outcome recovery relapse onset duration frequency severity finding sign symptom
mechanism cause trigger pathway receptor enzyme hormone antibody antigen bacterium virus fungus
parasite vaccine gene mutation deficiency excess imbalance age woman man child infant family smoker
clinician surgeon guideline option step reasoning question answer
""".split()
_MEDICAL_VERB: Final = """
suggests indicates shows reveals requires causes explains supports excludes confirms mimics
precedes follows complicates worsens improves resolves responds presents develops persists recurs
involves affects spreads compresses obstructs raises lowers prevents reduces increases inhibits
activates blocks binds needs merits fits contradicts remains becomes is was may-be
""".split()
_PREFIX: Final = "hyper hypo peri endo poly para intra pan".split()
_ROOT: Final = """
cardi neur gastr hepat nephr dermat arthr oste my pneumon angi encephal col cyst splen thyroid
aden rhin ot laryng bronch pleur phleb arteri lymph myel mening retin kerat blephar gloss gingiv
proct orchi oophor salping mast chondr tendin vascul
""".split()
_SUFFIX: Final = """
itis osis opathy ectomy oma algia ography oscopy oplasty omegaly orrhagia omalacia otomy osclerosis
""".split()
_DRUG_STEM: Final = (
    "zel vora tami korde lupi fena maro quin silde brava dexi nolo pira ruvi".split()
)
_DRUG_ENDING: Final = (
    "cillin azole olol pril statin sartan mycin floxacin mab tidine gliptin".split()
)

_MATH_ADJECTIVE: Final = """
positive negative real complex rational irrational prime composite even odd integer linear
quadratic cubic monic convex concave continuous differentiable bounded finite infinite distinct
equal congruent similar perpendicular parallel cyclic symmetric arithmetic geometric harmonic
constant leading smallest largest non-zero relatively-prime consecutive total remaining
""".split()
_MATH_NOUN: Final = """
number integer digit sum difference product quotient remainder divisor multiple factor power root
square cube fraction ratio percentage equation inequality identity expression polynomial
coefficient degree variable function graph domain range limit derivative integral sequence series
term triangle circle square rectangle polygon angle side altitude median bisector radius diameter
chord tangent area perimeter volume surface plane line point segment midpoint vector matrix
determinant probability event outcome permutation combination set subset element union proof lemma
theorem induction contradiction case solution answer value bound minimum maximum parity residue
modulus interval distance speed price ticket marble coin die card student problem condition
hypothesis claim step substitution formula symmetry
""".split()
_MATH_VERB: Final = """
equals exceeds divides gives implies yields satisfies contains intersects bisects maps becomes
follows holds simplifies reduces factors expands cancels vanishes increases decreases converges
diverges represents counts requires is has must-be cannot-be determines forces leaves covers
""".split()
_FORMULA: Final = (
    "{x}",
    "{x} = {n}",
    "{x}^{p} + {m}{x} - {n} = 0",
    "\\frac{{{m}}}{{{n}}}",
    "\\frac{{{x}^{p} + {m}}}{{{y} - {n}}}",
    "\\sqrt{{{n}}}",
    "\\sqrt[{p}]{{{x}^2 + {y}^2}}",
    "\\int_0^{{{n}}} {x}^{{{p}}}\\,d{x}",
    "\\sum_{{i=1}}^{{{n}}} i^{{{p}}}",
    "\\lim_{{{x} \\to {n}}} \\frac{{{x}^2 - {m}}}{{{x} - {n}}}",
    "\\binom{{{n}}}{{{p}}}",
    "\\sin({m}{x}) = \\frac{{1}}{{{n}}}",
    "\\angle {a}{b}{c} = {n}^\\circ",
    "{m}{x} + {n}{y} \\le {k}",
    "{x} \\equiv {m} \\pmod{{{n}}}",
    "\\triangle {a}{b}{c} \\sim \\triangle {c}{b}{a}",
    "f({x}) = {m}{x}^{p} - {n}{x} + {k}",
    "\\begin{{pmatrix}} {m} & {n} \\\\ {k} & {p} \\end{{pmatrix}}",
    "\\boxed{{{k}}}",
)

_CHINESE_OPENER: Final = """
首先， 其次， 然后 因此， 所以 但是 另外， 此外， 同时， 如果 由于 考虑到 根据 嗯， 那么
接下来， 最后， 综上所述， 显然， 实际上， 换句话说， 需要注意的是， 我们 患者 这里的
""".split()
_CHINESE_ADJECTIVE: Final = """
急性 慢性 严重 轻度 中度 反复 进行性 双侧 单侧 弥漫性 局限性 良性 恶性 升高的 降低的 正常 异常
明显 罕见 常见 年轻 老年 持续 短暂 突发 先天性 遗传性 感染性 免疫性 代谢性 原发性 继发性 主要
可能 合理
""".split()
_CHINESE_NOUN: Final = """
患者 发热 疼痛 咳嗽 头痛 乏力 恶心 呕吐 皮疹 水肿 呼吸困难 晕厥 抽搐 出血 麻木 黄疸 体重 血压
脉搏 体温 血氧 诊断 鉴别诊断 治疗 病史 查体 活检 超声 影像 血常规 尿常规 生化 指标 症状 体征
病因 机制 剂量 疗程 药物 抗生素 激素 手术 并发症 预后 风险 禁忌 过敏 家族史 检查结果 实验室 证据
思路 问题 答案 结论 步骤 选项 方案 指南 医生 家属 儿童 孕妇 细菌 病毒 真菌 基因 突变 受体 抗体
方程 函数 数列 三角形
""".split()
_CHINESE_VERB: Final = """
提示 表明 显示 需要 导致 引起 解释 支持 排除 确认 伴有 出现 加重 缓解 改善 影响 累及 压迫 阻塞
升高 降低 预防 减少 增加 抑制 激活 考虑 符合 不符合 属于 采用 建议 评估 监测 选择 避免 得出 说明
联系 区分
""".split()
_CHINESE_ADVERB: Final = """
通常 往往 很少 大概 明确 仅仅 缓慢 迅速 仔细 直接 进一步 首选 再次 不 也 都 更
""".split()
_CHINESE_LINK: Final = "， ， ， 、 ； ：，并且 ，但 ，而 ，因为 ，所以 以及 或者 与".split()
_CHINESE_PARTICLE: Final = "的 的 的 之 等 中的 后的 时的".split()
_ORGAN: Final = """
心 肝 肾 肺 脾 胃 肠 脑 骨 皮肤 甲状腺 胰腺 前列腺 子宫 卵巢 膀胱 胆囊 视网膜 关节 血管
""".split()
_CONDITION: Final = """
炎 硬化 肿瘤 囊肿 出血 梗死 衰竭 损伤 感染 增生 萎缩 结石 穿孔 溃疡 脓肿 纤维化 功能不全 缺血
水肿 坏死 结核 畸形
""".split()


class Vocabulary(NamedTuple):
    """All words, by id, with what the walk needs to know about each language.

    Attributes:
        words: unique within a language; English words carry the blank before them.
        successors: for each word, `SUCCESSORS` equally likely ids that may follow it.
        firsts: for each language, the ids that may begin a text.
        content: for each language, the ids that an edit may put in a word's place.
        stops: for each language, the id of the full stop that ends a text.
    """

    words: list[str]
    successors: NDArray[np.int32]
    firsts: list[NDArray[np.int32]]
    content: list[NDArray[np.int32]]
    stops: list[int]


def load_vocabulary() -> Vocabulary:
    """Return the vocabulary of `LANGUAGES`; the same on every call and every machine."""
    rng = np.random.default_rng(_SEED)
    found = Vocabulary([], np.empty((0, SUCCESSORS), np.int32), [], [], [])
    for classes, grammar in (
        (_medicine(), _ENGLISH_GRAMMAR),
        (_mathematics(rng), _ENGLISH_GRAMMAR),
        (_chinese(), _CHINESE_GRAMMAR),
    ):
        found = _append_language(found, classes, grammar, rng)
    return found


def _append_language(
    found: Vocabulary,
    classes: Mapping[str, Sequence[str]],
    grammar: Grammar,
    rng: np.random.Generator,
) -> Vocabulary:
    words, ids = list(found.words), dict[str, NDArray[np.int32]]()
    for name, members in classes.items():
        unique = list(dict.fromkeys(members))
        ids[name] = np.arange(len(words), len(words) + len(unique), dtype=np.int32)
        words += unique
    following = [
        _draw_successors(ids, grammar[name], len(members), rng) for name, members in ids.items()
    ]
    content = [ids[name] for name in ("noun", "adjective", "verb", "adverb", "special")]
    return Vocabulary(
        words,
        np.concatenate([found.successors, *following]),
        [*found.firsts, ids["first"]],
        [*found.content, np.concatenate(content)],
        [*found.stops, int(ids["end"][0])],
    )


def _draw_successors(
    ids: Mapping[str, NDArray[np.int32]],
    weights: Mapping[str, float],
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Draw what may follow each of `count` words of one class: a class, then a word, Zipf-like."""
    names = list(weights)
    shares = np.array([weights[name] for name in names])
    chosen = rng.choice(len(names), size=(count, SUCCESSORS), p=shares / shares.sum())
    drawn = np.empty((count, SUCCESSORS), np.int32)
    for number, name in enumerate(names):
        odds = 1.0 / (np.arange(len(ids[name])) + 3.0)
        spots = chosen == number
        drawn[spots] = rng.choice(ids[name], size=int(spots.sum()), p=odds / odds.sum())
    return drawn


def _medicine() -> dict[str, list[str]]:
    terms = [root + suffix for root, suffix in product(_ROOT, _SUFFIX)]
    terms += [prefix + term for prefix, term in product(_PREFIX, terms[::3])]
    drugs = [stem + ending for stem, ending in product(_DRUG_STEM, _DRUG_ENDING)]
    units = ("mg", "mL", "mmol/L", "%", "mmHg", "days", "weeks", "years", "bpm")
    amounts = [f"{count} {unit}" for count, unit in product((2, 5, 12, 38.5, 60, 120, 500), units)]
    return _english(_MEDICAL_NOUN + terms, _MEDICAL_ADJECTIVE, _MEDICAL_VERB, drugs + amounts)


def _mathematics(rng: np.random.Generator) -> dict[str, list[str]]:
    formulas = [_formula(_FORMULA[number % len(_FORMULA)], rng) for number in range(1_500)]
    return _english(_MATH_NOUN, _MATH_ADJECTIVE, _MATH_VERB, formulas)


def _formula(template: str, rng: np.random.Generator) -> str:
    a, b, c = rng.choice(list("ABCDEFPQR"), size=3, replace=False)
    x, y = rng.choice(list("xyzabnkt"), size=2, replace=False)
    m, n, k = rng.integers(2, 100, size=3)
    body = template.format(a=a, b=b, c=c, x=x, y=y, m=m, n=n, k=k, p=rng.integers(2, 8))
    return f"${body}$" if rng.random() < 0.9 else f"\n\\[ {body} \\]\n"


def _english(
    noun: list[str], adjective: list[str], verb: list[str], special: list[str]
) -> dict[str, list[str]]:
    return {
        "first": _OPENER,
        "opener": [f" {word}" for word in _OPENER],
        "determiner": [f" {word}" for word in _DETERMINER],
        "adjective": [f" {word}" for word in adjective],
        "noun": [f" {word}" for word in noun],
        "verb": [f" {word}" for word in verb],
        "adverb": [f" {word}" for word in _ADVERB],
        "preposition": [f" {word}" for word in _PREPOSITION],
        "link": _LINK,
        "special": [f" {word}" for word in special],
        "end": [".", "?", "!"],
        "paragraph": [".\n\n", ":\n\n"],
    }


def _chinese() -> dict[str, list[str]]:
    diseases = [organ + condition for organ, condition in product(_ORGAN, _CONDITION)]
    measures = ["CT", "MRI", "ALT", "38.5℃", "120/80 mmHg", "$x^2$", *map(str, range(2, 60))]
    return {
        "first": _CHINESE_OPENER,
        "opener": _CHINESE_OPENER,
        "adjective": _CHINESE_ADJECTIVE,
        "noun": _CHINESE_NOUN + diseases,
        "verb": _CHINESE_VERB,
        "adverb": _CHINESE_ADVERB,
        "particle": _CHINESE_PARTICLE,
        "link": _CHINESE_LINK,
        "special": measures,
        "end": ["。", "？", "！"],
        "paragraph": ["。\n\n", "：\n\n"],
    }
