//! Formulas in the values of parameters: `{DBInstanceClassMemory/32768}`, `LEAST({DBInstanceClassMemory/9531392},5000)`
//! [RDS User Guide, "Specifying DB parameters"].

/// Bytes in a GiB.
const GIB: f64 = 1_073_741_824.0;

/// What a formula comes to for an instance class: a whole number, as RDS makes of it. A number is itself.
///
/// None where the text is no formula.
pub fn evaluate(text: &str, class: &str) -> Option<i64> {
    let mut rest = Rest { text, class };
    let value = rest.sum()?;
    // The fractional part is cut off [RDS User Guide, "DB parameter formula operators"].
    #[expect(clippy::cast_possible_truncation, reason = "what is beyond an i64 is beyond every range")]
    (rest.text.trim().is_empty() && value.is_finite()).then_some(value.trunc() as i64)
}

/// What is still to be read of a formula.
struct Rest<'a> {
    text: &'a str,
    class: &'a str,
}

impl Rest<'_> {
    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.operand()?;
        loop {
            if self.take('*') {
                value *= self.operand()?;
            } else if self.take('/') {
                let divisor = self.operand()?;
                value = (divisor != 0.0).then_some(value / divisor)?;
            } else {
                return Some(value);
            }
        }
    }

    fn operand(&mut self) -> Option<f64> {
        if self.take('{') {
            let value = self.sum()?;
            return self.take('}').then_some(value);
        }
        if self.take('(') {
            let value = self.sum()?;
            return self.take(')').then_some(value);
        }
        if self.take('-') {
            return Some(-self.operand()?);
        }
        let text = self.text.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.text = rest;
        match word.to_ascii_uppercase().as_str() {
            "GREATEST" => self.arguments()?.into_iter().reduce(f64::max),
            "LEAST" => self.arguments()?.into_iter().reduce(f64::min),
            "SUM" => Some(self.arguments()?.into_iter().sum()),
            "LOG" => self.arguments()?.first().map(|value| value.log2()),
            "DBINSTANCECLASSMEMORY" => Some(memory(self.class) * GIB),
            "DBINSTANCEVCPU" => Some(processors(self.class)),
            "ENDPOINTPORT" => Some(5432.0),
            _ => word.parse().ok(),
        }
    }

    fn arguments(&mut self) -> Option<Vec<f64>> {
        self.take('(').then_some(())?;
        let mut arguments = vec![self.sum()?];
        while self.take(',') {
            arguments.push(self.sum()?);
        }
        self.take(')').then_some(arguments)
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.text.trim_start().strip_prefix(wanted) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }
}

/// GiB of a class: a burstable one doubles with each size from 1 on, of the others the memory optimized have 8 a processor and the rest 4.
fn memory(class: &str) -> f64 {
    let (family, size) = parts(class);
    match family.chars().next() {
        Some('t') => match size {
            "micro" => 1.0,
            "small" => 2.0,
            "medium" => 4.0,
            _ => processors(class) * 4.0,
        },
        Some('r') => processors(class) * 8.0,
        Some('x') => processors(class) * 16.0,
        _ => processors(class) * 4.0,
    }
}

/// Two, and four for each `x` of `xlarge`.
fn processors(class: &str) -> f64 {
    let (_, size) = parts(class);
    match size.strip_suffix("xlarge") {
        None => 2.0,
        Some("") => 4.0,
        Some(times) => times.parse().map_or(4.0, |times: f64| times * 4.0),
    }
}

fn parts(class: &str) -> (&str, &str) {
    class.strip_prefix("db.").and_then(|rest| rest.split_once('.')).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_come_to_what_the_class_has() {
        for (text, class, expected) in [
            ("400", "db.t4g.micro", Some(400)),
            ("-1", "db.t4g.micro", Some(-1)),
            ("{DBInstanceClassMemory/32768}", "db.t4g.micro", Some(32_768)),
            ("LEAST({DBInstanceClassMemory/9531392},5000)", "db.t4g.micro", Some(112)),
            ("LEAST({DBInstanceClassMemory/9531392},5000)", "db.r6g.16xlarge", Some(5000)),
            ("GREATEST({DBInstanceClassMemory*1024/63963136},65536)", "db.m6g.large", Some(137_518)),
            ("GREATEST({log(DBInstanceClassMemory/21474836480)*600},200)", "db.t4g.micro", Some(200)),
            ("SUM({DBInstanceVCPU},2)", "db.m6g.2xlarge", Some(10)),
            ("{DBInstanceClassMemory/0}", "db.t4g.micro", None),
            ("{DBInstanceClassMemory", "db.t4g.micro", None),
            ("{Memory/2}", "db.t4g.micro", None),
            ("LEAST()", "db.t4g.micro", None),
            ("5 5", "db.t4g.micro", None),
        ] {
            assert_eq!(evaluate(text, class), expected, "{text} of {class}");
        }
    }
}
