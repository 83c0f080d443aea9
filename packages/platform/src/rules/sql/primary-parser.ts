/**
 * Grammar of both rule SQLs, innermost part: values, names, calls, CASE, literals, and the SELECT inside an expression. What only one language
 * has begins with a word that the other's lexer does not make, or is gated.
 */
import { EmbeddedActionsParser, type ParserMethod, type TokenType, tokenMatcher } from "chevrotain";
import type { Expression, MemberStep, SelectItem } from "./ast.ts";
import { expectations } from "./expectations.ts";
import { namedSteps, positionOf, unquoteName, unquoteText } from "./token-texts.ts";
import * as t from "./tokens.ts";

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

export abstract class PrimaryParser extends EmbeddedActionsParser {
  /** Set before a rule is started. */
  isAws = false;

  protected abstract readonly expression: ParserMethod<[], Expression>;
  protected abstract readonly selectItem: ParserMethod<[], SelectItem>;

  constructor() {
    super(t.allTokens, { recoveryEnabled: true, maxLookahead: 2, errorMessageProvider: expectations });
  }

  /** VALUE is no reserved word: `SELECT value FROM …` reads a field. */
  protected readonly valueWord: ParserMethod<[], boolean> = this.RULE("valueWord", () => {
    const word = this.OPTION({ GATE: () => this.#isValueWord(), DEF: () => this.CONSUME(t.Path) });
    return word !== undefined;
  });

  #isValueWord(): boolean {
    if (!/^value$/i.test(this.LA(1).image)) return false;
    const next = this.LA(2).tokenType;
    return next === t.Star ? this.LA(3).tokenType === t.From : afterValue.has(next);
  }

  protected readonly nestedSelect: ParserMethod<[], Expression> = this.RULE("nestedSelect", () => {
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

  protected readonly postfix: ParserMethod<[], Expression> = this.RULE("postfix", () => {
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

  protected readonly primary: ParserMethod<[], Expression> = this.RULE("primary", () => {
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

  protected readonly arrayLiteral: ParserMethod<[], Expression> = this.RULE("arrayLiteral", () => {
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

  protected readonly objectLiteral: ParserMethod<[], Expression> = this.RULE("objectLiteral", () => {
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

  protected readonly call: ParserMethod<[], Expression> = this.RULE("call", () => {
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

  protected readonly choice: ParserMethod<[], Expression> = this.RULE("choice", () => {
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
