/** Operators of both rule SQLs, the loosest binding first. */
import type { IToken, ParserMethod } from "chevrotain";
import type { ArithmeticOperator, ComparisonOperator, Expression } from "./ast.ts";
import { PrimaryParser } from "./primary-parser.ts";
import { chain, positionOf } from "./token-texts.ts";
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

export abstract class OperatorParser extends PrimaryParser {
  protected readonly expression: ParserMethod<[], Expression> = this.RULE("expression", () => {
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

  protected readonly conjunction: ParserMethod<[], Expression> = this.RULE("conjunction", () => {
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

  protected readonly negation: ParserMethod<[], Expression> = this.RULE("negation", () => {
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

  protected readonly predicate: ParserMethod<[], Expression> = this.RULE("predicate", () => {
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

  protected readonly comparisonTail: ParserMethod<[Expression], Expression> = this.RULE("comparisonTail", (left: Expression) => {
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

  protected readonly nullTail: ParserMethod<[Expression], Expression> = this.RULE("nullTail", (operand: Expression) => {
    const is = this.CONSUME(t.Is);
    const not = this.OPTION(() => this.CONSUME(t.Not));
    this.CONSUME(t.Null);
    return this.ACTION((): Expression => ({ kind: "isNull", operand, isNegated: not !== undefined, at: positionOf(is) }));
  });

  protected readonly listTail: ParserMethod<[Expression], Expression> = this.RULE("listTail", (operand: Expression) => {
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

  protected readonly sum: ParserMethod<[], Expression> = this.RULE("sum", () => {
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

  protected readonly product: ParserMethod<[], Expression> = this.RULE("product", () => {
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

  protected readonly signed: ParserMethod<[], Expression> = this.RULE("signed", () => {
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
}
