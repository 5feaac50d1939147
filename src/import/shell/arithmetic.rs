//! `$((…))` and `((…))` into numbers.

use super::run::Shell;
use brush_parser::ast::{
    ArithmeticExpr, ArithmeticTarget, BinaryOperator, UnaryAssignmentOperator, UnaryOperator,
};

/// How deep an expression may be.
const MAX_DEPTH: usize = 50;

impl Shell {
    /// The value of an expression; assignments in it are made. `None` where it cannot be known.
    pub(super) fn arithmetic(&mut self, text: &str) -> Option<i64> {
        let text =
            if text.contains(['$', '`']) { self.word(&format!("\"{text}\""))? } else { text.to_owned() };
        if super::is_symbolic(&text) || super::depth(&text) > MAX_DEPTH {
            return None;
        }
        let expression = brush_parser::arithmetic::parse(&text).ok()?;
        self.value(&expression, 0)
    }

    fn value(&mut self, expression: &ArithmeticExpr, depth: usize) -> Option<i64> {
        if depth > MAX_DEPTH {
            return None;
        }
        match expression {
            ArithmeticExpr::Literal(number) => Some(*number),
            ArithmeticExpr::Reference(target) => {
                let (name, index) = self.target(target, depth)?;
                self.number(&name, index)
            }
            ArithmeticExpr::UnaryOp(operator, operand) => {
                let operand = self.value(operand, depth + 1)?;
                Some(match operator {
                    UnaryOperator::UnaryPlus => operand,
                    UnaryOperator::UnaryMinus => operand.checked_neg()?,
                    UnaryOperator::BitwiseNot => !operand,
                    UnaryOperator::LogicalNot => i64::from(operand == 0),
                })
            }
            ArithmeticExpr::BinaryOp(operator, left, right) => {
                let (left, right) = (self.value(left, depth + 1)?, self.value(right, depth + 1)?);
                binary(operator, left, right)
            }
            ArithmeticExpr::Conditional(condition, yes, no) => match self.value(condition, depth + 1)? {
                0 => self.value(no, depth + 1),
                _ => self.value(yes, depth + 1),
            },
            ArithmeticExpr::Assignment(target, value) => {
                let value = self.value(value, depth + 1);
                self.store(target, value, depth)
            }
            ArithmeticExpr::BinaryAssignment(operator, target, operand) => {
                let (name, index) = self.target(target, depth)?;
                let both = self.number(&name, index).zip(self.value(operand, depth + 1));
                self.store(target, both.and_then(|(old, operand)| binary(operator, old, operand)), depth)
            }
            ArithmeticExpr::UnaryAssignment(operator, target) => {
                let (name, index) = self.target(target, depth)?;
                let old = self.number(&name, index);
                let by = match operator {
                    UnaryAssignmentOperator::PrefixIncrement | UnaryAssignmentOperator::PostfixIncrement => 1,
                    UnaryAssignmentOperator::PrefixDecrement | UnaryAssignmentOperator::PostfixDecrement => {
                        -1
                    }
                };
                let new = self.store(target, old.and_then(|old| old.checked_add(by)), depth)?;
                match operator {
                    UnaryAssignmentOperator::PrefixIncrement | UnaryAssignmentOperator::PrefixDecrement => {
                        Some(new)
                    }
                    _ => old,
                }
            }
        }
    }

    fn target(&mut self, target: &ArithmeticTarget, depth: usize) -> Option<(String, usize)> {
        match target {
            ArithmeticTarget::Variable(name) => Some((name.clone(), 0)),
            ArithmeticTarget::ArrayElement(name, index) => {
                let index = self.value(index, depth + 1)?;
                Some((name.clone(), usize::try_from(index).ok()?))
            }
        }
    }

    /// The number that a variable holds; unset and empty ones are 0.
    fn number(&self, name: &str, index: usize) -> Option<i64> {
        match self.look_up(name, index)? {
            None => Some(0),
            Some(text) if text.trim().is_empty() => Some(0),
            Some(text) => text.trim().parse().ok(),
        }
    }

    /// Assigns what was calculated, known or not.
    fn store(&mut self, target: &ArithmeticTarget, value: Option<i64>, depth: usize) -> Option<i64> {
        let (name, index) = self.target(target, depth)?;
        self.assign_to(&format!("{name}[{index}]"), value.map(|value| value.to_string()), self.line);
        value
    }
}

fn binary(operator: &BinaryOperator, left: i64, right: i64) -> Option<i64> {
    Some(match operator {
        BinaryOperator::Multiply => left.checked_mul(right)?,
        BinaryOperator::Divide => left.checked_div(right)?,
        BinaryOperator::Modulo => left.checked_rem(right)?,
        BinaryOperator::Comma => right,
        BinaryOperator::Add => left.checked_add(right)?,
        BinaryOperator::Subtract => left.checked_sub(right)?,
        BinaryOperator::LessThan => i64::from(left < right),
        BinaryOperator::LessThanOrEqualTo => i64::from(left <= right),
        BinaryOperator::GreaterThan => i64::from(left > right),
        BinaryOperator::GreaterThanOrEqualTo => i64::from(left >= right),
        BinaryOperator::Equals => i64::from(left == right),
        BinaryOperator::NotEquals => i64::from(left != right),
        BinaryOperator::LogicalAnd => i64::from(left != 0 && right != 0),
        BinaryOperator::LogicalOr => i64::from(left != 0 || right != 0),
        BinaryOperator::BitwiseAnd => left & right,
        BinaryOperator::BitwiseXor => left ^ right,
        BinaryOperator::BitwiseOr => left | right,
        BinaryOperator::Power => left.checked_pow(u32::try_from(right).ok()?)?,
        BinaryOperator::ShiftLeft => left.checked_shl(u32::try_from(right).ok()?)?,
        BinaryOperator::ShiftRight => left.checked_shr(u32::try_from(right).ok()?)?,
    })
}
