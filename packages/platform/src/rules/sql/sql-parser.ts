/** Grammar of the rule SQL, building the typed tree while it reads. Loosest binding first. */
import { EmbeddedActionsParser, type IToken, type ParserMethod, tokenMatcher } from "chevrotain";
import type { ArithmeticOperator, ComparisonOperator, Expression, Position, SelectItem, Statement } from "./ast.ts";
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

export class SqlParser extends EmbeddedActionsParser {
  constructor() {
    super(t.tokens, { recoveryEnabled: true, maxLookahead: 2, errorMessageProvider: expectations });
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
      topic: tokenMatcher(topic, t.Quoted) ? unquoteName(topic.image) : unquoteText(topic.image),
      topicAt: positionOf(topic),
      where,
    }));
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
        { ALT: () => this.CONSUME2(t.Path) },
        { ALT: () => this.CONSUME2(t.Quoted) },
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
    const operand = this.SUBRULE(this.primary);
    return this.ACTION(() =>
      signs.reduceRight<Expression>((inner, token) => ({ kind: "negate", operand: inner, at: positionOf(token) }), operand),
    );
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
          return { kind: "path", text: this.ACTION(() => unquoteName(token.image)), at };
        },
      },
      { ALT: () => this.SUBRULE(this.call) },
      {
        ALT: (): Expression => {
          const token = this.CONSUME(t.Path);
          return { kind: "path", text: token.image, at };
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
    ]);
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
    this.CONSUME(t.RightBracket);
    return this.ACTION((): Expression => ({ kind: "call", name: name.image, arguments: list, at: positionOf(name) }));
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
