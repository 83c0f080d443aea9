/**
 * Grammar of both rule SQLs, building the typed tree while it reads. Loosest binding first. `statement` is Alibaba's, `awsStatement` and
 * `awsExpression` are AWS's; what only one language has begins with a word that the other's lexer does not make, or is gated.
 */
import { EmbeddedActionsParser, type IToken, type ParserMethod, type TokenType, tokenMatcher } from "chevrotain";
import type { ArithmeticOperator, ComparisonOperator, Expression, MemberStep, Position, SelectItem, Statement } from "./ast.ts";
import { expectations } from "./expectations.ts";
import * as t from "./tokens.ts";

const comparisonOperators: Readonly<Record<string, ComparisonOperator>> = {
  "=": "=",
  "<>": "<>",
  "!=": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

function positionOf(token: IToken): Position {
  return { line: token.startLine ?? 1, column: token.startColumn ?? 1 };
}

/** `''` and `\'` stand for a quote, `\\` for a backslash; any other backslash is itself. */
function unquoteText(image: string): string {
  return image.slice(1, -1).replace(/''|\\(['"\\])/g, (_, escaped: string | undefined) => escaped ?? "'");
}

function unquoteName(image: string): string {
  return image.slice(1, -1).replace(/\\(["\\])/g, "$1");
}

/** What may follow VALUE when it is the keyword: otherwise a field has that name. */
const afterValue: ReadonlySet<TokenType> = new Set([
  t.Path,
  t.Text,
  t.Quoted,
  t.NumberToken,
  t.True,
  t.False,
  t.Null,
  t.Not,
  t.Case,
  t.LeftBracket,
  t.LeftSquare,
  t.LeftBrace,
]);

export class SqlParser extends EmbeddedActionsParser {
  /** Set before a rule is started. */
  isAws = false;

  constructor() {
    super(t.allTokens, { recoveryEnabled: true, maxLookahead: 2, errorMessageProvider: expectations });
    this.performSelfAnalysis();
  }

  readonly statement: ParserMethod<[], Statement> = this.RULE("statement", () => {
    const items: SelectItem[] = [];
    this.CONSUME(t.Select);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => {
        const item = this.SUBRULE(this.selectItem);
        this.ACTION(() => items.push(item));
      },
    });
    this.CONSUME(t.From);
    const topic = this.OR([{ ALT: () => this.CONSUME(t.Quoted) }, { ALT: () => this.CONSUME(t.Text) }]);
    const where = this.OPTION(() => {
      this.CONSUME(t.Where);
      return this.SUBRULE(this.expression);
    });
    this.OPTION1(() => this.CONSUME(t.Semicolon));
    return this.ACTION(() => ({
      items,
      isValue: false,
      topic: tokenMatcher(topic, t.Quoted) ? unquoteName(topic.image) : unquoteText(topic.image),
      topicAt: positionOf(topic),
      where,
    }));
  });

  readonly awsStatement: ParserMethod<[], Statement> = this.RULE("awsStatement", () => {
    const items: SelectItem[] = [];
    const start = this.CONSUME(t.Select);
    const isValue = this.SUBRULE(this.valueWord);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => {
        const item = this.SUBRULE(this.selectItem);
        this.ACTION(() => items.push(item));
      },
    });
    const topic = this.OPTION(() => {
      this.CONSUME(t.From);
      return this.OR([{ ALT: () => this.CONSUME(t.Text) }, { ALT: () => this.CONSUME(t.Quoted) }]);
    });
    const where = this.OPTION1(() => {
      this.CONSUME(t.Where);
      return this.SUBRULE(this.expression);
    });
    this.OPTION2(() => this.CONSUME(t.Semicolon));
    return this.ACTION(() => ({
      items,
      isValue,
      topic: topic && (tokenMatcher(topic, t.Quoted) ? unquoteName(topic.image) : unquoteText(topic.image)),
      topicAt: positionOf(topic ?? start),
      where,
    }));
  });

  /** What stands in `${…}` [aws-iot 14.4]. */
  readonly awsExpression: ParserMethod<[], Expression> = this.RULE("awsExpression", () => this.SUBRULE(this.expression));

  /** VALUE is no reserved word: `SELECT value FROM …` reads a field. */
  private readonly valueWord: ParserMethod<[], boolean> = this.RULE("valueWord", () => {
    const word = this.OPTION({ GATE: () => this.#isValueWord(), DEF: () => this.CONSUME(t.Path) });
    return word !== undefined;
  });

  #isValueWord(): boolean {
    if (!/^value$/i.test(this.LA(1).image)) return false;
    const next = this.LA(2).tokenType;
    return next === t.Star ? this.LA(3).tokenType === t.From : afterValue.has(next);
  }

  private readonly nestedSelect: ParserMethod<[], Expression> = this.RULE("nestedSelect", () => {
    const items: SelectItem[] = [];
    const start = this.CONSUME(t.Select);
    const isValue = this.SUBRULE(this.valueWord);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => {
        const item = this.SUBRULE(this.selectItem);
        this.ACTION(() => items.push(item));
      },
    });
    this.CONSUME(t.From);
    const from = this.SUBRULE(this.postfix);
    const where = this.OPTION(() => {
      this.CONSUME(t.Where);
      return this.SUBRULE(this.expression);
    });
    return this.ACTION((): Expression => ({ kind: "select", projection: { items, isValue }, from, where, at: positionOf(start) }));
  });

  private readonly selectItem: ParserMethod<[], SelectItem> = this.RULE("selectItem", () => {
    const first = this.LA(1);
    const value = this.OR([
      {
        ALT: (): "*" => {
          this.CONSUME(t.Star);
          return "*";
        },
      },
      { ALT: () => this.SUBRULE(this.expression) },
    ]);
    const last = this.LA(0);
    const text = this.ACTION(() => textBetween(this.input, first, last));
    const alias = this.OPTION(() =>
      this.OR1([
        {
          ALT: () => {
            this.CONSUME(t.As);
            return this.OR2([{ ALT: () => this.CONSUME(t.Word) }, { ALT: () => this.CONSUME1(t.Quoted) }]);
          },
        },
        { GATE: () => !this.isAws, ALT: () => this.CONSUME2(t.Path) },
        { GATE: () => !this.isAws, ALT: () => this.CONSUME2(t.Quoted) },
      ]),
    );
    return this.ACTION(() => ({
      value,
      alias: alias === undefined ? undefined : tokenMatcher(alias, t.Quoted) ? unquoteName(alias.image) : alias.image,
      at: positionOf(first),
      text,
    }));
  });

  private readonly expression: ParserMethod<[], Expression> = this.RULE("expression", () => {
    const operands: Expression[] = [];
    const first = this.LA(1);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Or,
      DEF: () => {
        const operand = this.SUBRULE(this.conjunction);
        this.ACTION(() => operands.push(operand));
      },
    });
    return this.ACTION(() => chain("or", operands, positionOf(first)));
  });

  private readonly conjunction: ParserMethod<[], Expression> = this.RULE("conjunction", () => {
    const operands: Expression[] = [];
    const first = this.LA(1);
    this.AT_LEAST_ONE_SEP({
      SEP: t.And,
      DEF: () => {
        const operand = this.SUBRULE(this.negation);
        this.ACTION(() => operands.push(operand));
      },
    });
    return this.ACTION(() => chain("and", operands, positionOf(first)));
  });

  private readonly negation: ParserMethod<[], Expression> = this.RULE("negation", () => {
    const nots: IToken[] = [];
    this.MANY(() => {
      const token = this.CONSUME(t.Not);
      this.ACTION(() => nots.push(token));
    });
    const operand = this.SUBRULE(this.predicate);
    return this.ACTION(() =>
      nots.reduceRight<Expression>((inner, token) => ({ kind: "not", operand: inner, at: positionOf(token) }), operand),
    );
  });

  private readonly predicate: ParserMethod<[], Expression> = this.RULE("predicate", () => {
    const operand = this.SUBRULE(this.sum);
    const finish = this.OPTION(() =>
      this.OR([
        { ALT: () => this.SUBRULE(this.comparisonTail, { ARGS: [operand] }) },
        { ALT: () => this.SUBRULE(this.nullTail, { ARGS: [operand] }) },
        { ALT: () => this.SUBRULE(this.listTail, { ARGS: [operand] }) },
      ]),
    );
    return this.ACTION(() => finish ?? operand);
  });

  private readonly comparisonTail: ParserMethod<[Expression], Expression> = this.RULE("comparisonTail", (left: Expression) => {
    const operator = this.OR([
      { ALT: () => this.CONSUME(t.Equal) },
      { ALT: () => this.CONSUME(t.NotEqual) },
      { ALT: () => this.CONSUME(t.LessOrEqual) },
      { ALT: () => this.CONSUME(t.GreaterOrEqual) },
      { ALT: () => this.CONSUME(t.Less) },
      { ALT: () => this.CONSUME(t.Greater) },
    ]);
    const right = this.SUBRULE(this.sum);
    return this.ACTION(
      (): Expression => ({
        kind: "comparison",
        operator: comparisonOperators[operator.image] ?? "=",
        left,
        right,
        at: positionOf(operator),
      }),
    );
  });

  private readonly nullTail: ParserMethod<[Expression], Expression> = this.RULE("nullTail", (operand: Expression) => {
    const is = this.CONSUME(t.Is);
    const not = this.OPTION(() => this.CONSUME(t.Not));
    this.CONSUME(t.Null);
    return this.ACTION((): Expression => ({ kind: "isNull", operand, isNegated: not !== undefined, at: positionOf(is) }));
  });

  private readonly listTail: ParserMethod<[Expression], Expression> = this.RULE("listTail", (operand: Expression) => {
    const first = this.LA(1);
    const not = this.OPTION(() => this.CONSUME(t.Not));
    const options: Expression[] = [];
    return this.OR([
      {
        ALT: () => {
          this.CONSUME(t.In);
          this.CONSUME(t.LeftBracket);
          this.AT_LEAST_ONE_SEP({
            SEP: t.Comma,
            DEF: () => {
              const option = this.SUBRULE(this.sum);
              this.ACTION(() => options.push(option));
            },
          });
          this.CONSUME(t.RightBracket);
          return this.ACTION((): Expression => ({ kind: "in", operand, options, isNegated: not !== undefined, at: positionOf(first) }));
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Like);
          const pattern = this.SUBRULE1(this.sum);
          return this.ACTION((): Expression => ({ kind: "like", operand, pattern, isNegated: not !== undefined, at: positionOf(first) }));
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Between);
          const low = this.SUBRULE2(this.sum);
          this.CONSUME(t.And);
          const high = this.SUBRULE3(this.sum);
          return this.ACTION(
            (): Expression => ({ kind: "between", operand, low, high, isNegated: not !== undefined, at: positionOf(first) }),
          );
        },
      },
    ]);
  });

  private readonly sum: ParserMethod<[], Expression> = this.RULE("sum", () => {
    const rest: { operator: ArithmeticOperator; operand: Expression }[] = [];
    const first = this.SUBRULE(this.product);
    this.MANY(() => {
      const operator = this.OR([
        {
          ALT: (): "+" => {
            this.CONSUME(t.Plus);
            return "+";
          },
        },
        {
          ALT: (): "-" => {
            this.CONSUME(t.Minus);
            return "-";
          },
        },
      ]);
      const operand = this.SUBRULE1(this.product);
      this.ACTION(() => rest.push({ operator, operand }));
    });
    return this.ACTION(
      (): Expression => (rest.length === 0 ? first : { kind: "arithmetic", first, rest, at: first?.at ?? { line: 1, column: 1 } }),
    );
  });

  private readonly product: ParserMethod<[], Expression> = this.RULE("product", () => {
    const rest: { operator: ArithmeticOperator; operand: Expression }[] = [];
    const first = this.SUBRULE(this.signed);
    this.MANY(() => {
      const operator = this.OR([
        {
          ALT: (): "*" => {
            this.CONSUME(t.Star);
            return "*";
          },
        },
        {
          ALT: (): "/" => {
            this.CONSUME(t.Slash);
            return "/";
          },
        },
        {
          ALT: (): "%" => {
            this.CONSUME(t.Percent);
            return "%";
          },
        },
      ]);
      const operand = this.SUBRULE1(this.signed);
      this.ACTION(() => rest.push({ operator, operand }));
    });
    return this.ACTION(
      (): Expression => (rest.length === 0 ? first : { kind: "arithmetic", first, rest, at: first?.at ?? { line: 1, column: 1 } }),
    );
  });

  private readonly signed: ParserMethod<[], Expression> = this.RULE("signed", () => {
    const signs: IToken[] = [];
    this.MANY(() => {
      const token = this.CONSUME(t.Minus);
      this.ACTION(() => signs.push(token));
    });
    const operand = this.SUBRULE(this.postfix);
    return this.ACTION(() =>
      signs.reduceRight<Expression>((inner, token) => ({ kind: "negate", operand: inner, at: positionOf(token) }), operand),
    );
  });

  private readonly postfix: ParserMethod<[], Expression> = this.RULE("postfix", () => {
    const steps: MemberStep[] = [];
    const of = this.SUBRULE(this.primary);
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(t.Dot);
            const name = this.OR1([{ ALT: () => this.CONSUME(t.Word) }, { ALT: () => this.CONSUME(t.Quoted) }]);
            this.ACTION(() => steps.push(...(tokenMatcher(name, t.Quoted) ? [unquoteName(name.image)] : namedSteps(name.image, name))));
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.LeftSquare);
            const index = this.SUBRULE(this.expression);
            this.CONSUME(t.RightSquare);
            this.ACTION(() => steps.push(index));
          },
        },
      ]),
    );
    return this.ACTION((): Expression => (steps.length === 0 ? of : { kind: "member", of, steps, at: of?.at ?? { line: 1, column: 1 } }));
  });

  private readonly primary: ParserMethod<[], Expression> = this.RULE("primary", () => {
    const at = positionOf(this.LA(1));
    return this.OR([
      {
        ALT: (): Expression => {
          const token = this.CONSUME(t.NumberToken);
          return { kind: "constant", value: Number(token.image), at };
        },
      },
      {
        ALT: (): Expression => {
          const token = this.CONSUME(t.Text);
          return { kind: "constant", value: this.ACTION(() => unquoteText(token.image)), at };
        },
      },
      {
        ALT: (): Expression => {
          this.CONSUME(t.True);
          return { kind: "constant", value: true, at };
        },
      },
      {
        ALT: (): Expression => {
          this.CONSUME(t.False);
          return { kind: "constant", value: false, at };
        },
      },
      {
        ALT: (): Expression => {
          this.CONSUME(t.Null);
          return { kind: "constant", value: null, at };
        },
      },
      {
        ALT: (): Expression => {
          const token = this.CONSUME(t.Quoted);
          return { kind: "path", text: this.ACTION(() => unquoteName(token.image)), isQuoted: true, at };
        },
      },
      { ALT: () => this.SUBRULE(this.call) },
      {
        ALT: (): Expression => {
          const token = this.CONSUME(t.Path);
          return { kind: "path", text: token.image, isQuoted: false, at };
        },
      },
      { ALT: () => this.SUBRULE(this.choice) },
      {
        ALT: (): Expression => {
          this.CONSUME(t.LeftBracket);
          const inner = this.SUBRULE(this.expression);
          this.CONSUME(t.RightBracket);
          return inner;
        },
      },
      {
        GATE: () => this.isAws,
        ALT: (): Expression => {
          this.CONSUME1(t.LeftBracket);
          const inner = this.SUBRULE(this.nestedSelect);
          this.CONSUME1(t.RightBracket);
          return inner;
        },
      },
      { ALT: () => this.SUBRULE(this.arrayLiteral) },
      { ALT: () => this.SUBRULE(this.objectLiteral) },
    ]);
  });

  private readonly arrayLiteral: ParserMethod<[], Expression> = this.RULE("arrayLiteral", () => {
    const items: Expression[] = [];
    const start = this.CONSUME(t.LeftSquare);
    this.MANY_SEP({
      SEP: t.Comma,
      DEF: () => {
        const item = this.SUBRULE(this.expression);
        this.ACTION(() => items.push(item));
      },
    });
    this.CONSUME(t.RightSquare);
    return this.ACTION((): Expression => ({ kind: "array", items, at: positionOf(start) }));
  });

  private readonly objectLiteral: ParserMethod<[], Expression> = this.RULE("objectLiteral", () => {
    const entries: { key: string; value: Expression }[] = [];
    const start = this.CONSUME(t.LeftBrace);
    this.MANY_SEP({
      SEP: t.Comma,
      DEF: () => {
        const key = this.OR([{ ALT: () => this.CONSUME(t.Text) }, { ALT: () => this.CONSUME(t.Quoted) }]);
        this.CONSUME(t.Colon);
        const value = this.SUBRULE(this.expression);
        this.ACTION(() => entries.push({ key: tokenMatcher(key, t.Quoted) ? unquoteName(key.image) : unquoteText(key.image), value }));
      },
    });
    this.CONSUME(t.RightBrace);
    return this.ACTION((): Expression => ({ kind: "object", entries, at: positionOf(start) }));
  });

  private readonly call: ParserMethod<[], Expression> = this.RULE("call", () => {
    const name = this.CONSUME(t.Path);
    const list: (Expression | "*")[] = [];
    this.CONSUME(t.LeftBracket);
    this.MANY_SEP({
      SEP: t.Comma,
      DEF: () => {
        const argument = this.OR([
          {
            ALT: (): "*" => {
              this.CONSUME(t.Star);
              return "*";
            },
          },
          { ALT: () => this.SUBRULE(this.expression) },
        ]);
        this.ACTION(() => list.push(argument));
      },
    });
    const type = this.OPTION({
      GATE: () => this.isAws && /^cast$/i.test(name.image),
      DEF: () => {
        this.CONSUME(t.As);
        return this.CONSUME(t.Word);
      },
    });
    this.CONSUME(t.RightBracket);
    return this.ACTION((): Expression => {
      const [operand] = list;
      if (type !== undefined && list.length === 1 && operand !== undefined && operand !== "*") {
        return { kind: "cast", operand, type: type.image, at: positionOf(name) };
      }
      return { kind: "call", name: name.image, arguments: list, at: positionOf(name) };
    });
  });

  private readonly choice: ParserMethod<[], Expression> = this.RULE("choice", () => {
    const branches: { when: Expression; result: Expression }[] = [];
    const first = this.CONSUME(t.Case);
    const subject = this.OPTION(() => this.SUBRULE(this.expression));
    this.AT_LEAST_ONE(() => {
      this.CONSUME(t.When);
      const when = this.SUBRULE1(this.expression);
      this.CONSUME(t.Then);
      const result = this.SUBRULE2(this.expression);
      this.ACTION(() => branches.push({ when, result }));
    });
    const otherwise = this.OPTION1(() => {
      this.CONSUME(t.Else);
      return this.SUBRULE3(this.expression);
    });
    this.CONSUME(t.End);
    return this.ACTION((): Expression => ({ kind: "case", subject, branches, otherwise, at: positionOf(first) }));
  });
}

/** `b[0].c` as one word -> its steps. */
function namedSteps(text: string, token: IToken): MemberStep[] {
  return [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([whole, index]) =>
    index === undefined ? whole : { kind: "constant", value: Number(index), at: positionOf(token) },
  );
}

function chain(operator: "and" | "or", operands: Expression[], at: Position): Expression {
  const [only] = operands;
  return operands.length === 1 && only !== undefined ? only : { kind: "logic", operator, operands, at };
}

/** The expression as written, blanks reduced to one and none inside brackets: the output key of an entry without alias. */
function textBetween(input: readonly IToken[], first: IToken, last: IToken): string {
  return input
    .filter((token) => token.startOffset >= first.startOffset && token.startOffset <= last.startOffset)
    .map((token) => token.image)
    .join(" ")
    .replace(/ ?([(),]) ?/g, "$1");
}
